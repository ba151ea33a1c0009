import type { Session } from '../../auth/session/session.ts';
import type { Alerts } from '../../tools/alerts.ts';
import { createRemoteRequests } from './remote-requests.ts';

/** Returns the person's alerts on a server. Their methods throw a `TradeAgentError` if the server refuses. */
export function createRemoteAlerts(session: Session, { signal }: { readonly signal: AbortSignal }): Alerts {
  const server = createRemoteRequests(session);
  return {
    list: () => server.call('listAlerts', { signal }),
    async add(alert) {
      const { is_new: isNew, ...added } = await server.call('addAlert', { body: { alert }, signal });
      return { ...added, isNew };
    },
    remove: (which) => server.call('removeAlert', { params: { alert: which }, signal }),
    async scheduleChecks(every) {
      const { is_new: isNew, ...look } = await server.call('lookAtAlerts', { body: { every }, signal });
      return { ...look, isNew };
    },
  };
}
