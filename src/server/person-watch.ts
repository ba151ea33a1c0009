import type { Session } from '../auth/session/session.ts';
import { followEvents } from '../tools/gateway/follow-events.ts';
import { createGatewayClient } from '../tools/gateway/gateway-client.ts';
import { isSettledState } from '../trading/proposal.ts';
import { personRuns, type ServerDeps } from './server-deps.ts';

export type PersonProposalWatch = ReturnType<typeof createPersonProposalWatch>;

/**
 * Creates a watch on people's proposals. While a client watches one of a person's runs, the watch follows that person's
 * proposals at the gateway in one stream. When a proposal is decided, the watch immediately wakes the runs that wait
 * for the proposal. If the stream breaks, the run collector wakes the runs.
 */
export function createPersonProposalWatch(deps: Omit<ServerDeps, 'sessions' | 'model'>) {
  const followed = new Map<string, { watchers: number; readonly stop: AbortController; ended: Promise<void> }>();
  const follow = (session: Session, signal: AbortSignal): Promise<void> => {
    const runs = personRuns(deps, session.user.sub);
    return followEvents(createGatewayClient(session), {
      clock: deps.clock,
      signal,
      changed: ({ id, state }) => {
        if (isSettledState(state)) runs.settled(id).catch(() => undefined);
      },
    }).catch(() => undefined);
  };
  return {
    /** Watches the proposals of the session's person. @returns a function that stops watching */
    watch(session: Session): () => void {
      const { sub } = session.user;
      let one = followed.get(sub);
      if (one === undefined) {
        const stop = new AbortController();
        one = { watchers: 0, stop, ended: follow(session, stop.signal) };
        followed.set(sub, one);
      }
      const mine = one;
      mine.watchers += 1;
      return () => {
        mine.watchers -= 1;
        if (mine.watchers > 0) return;
        mine.stop.abort();
        if (followed.get(sub) === mine) followed.delete(sub);
      };
    },
    async close(): Promise<void> {
      const all = [...followed.values()];
      for (const { stop } of all) stop.abort();
      await Promise.all(all.map(({ ended }) => ended));
    },
  };
}
