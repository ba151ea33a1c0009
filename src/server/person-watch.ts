import type { Session } from '../auth/session/session.ts';
import { followEvents } from '../tools/gateway/follow-events.ts';
import { createGatewayClient } from '../tools/gateway/gateway-client.ts';
import { isSettledState } from '../trading/proposal.ts';
import { runsOf, type ServerParts } from './server-parts.ts';

export type PersonWatch = ReturnType<typeof createPersonWatch>;

/**
 * Follows a person's proposals at the gateway while somebody watches one of their runs here, in one stream per person. A
 * settled proposal wakes the runs that wait for it right after the tap. If the stream breaks, the collector does so later.
 */
export function createPersonWatch(parts: Omit<ServerParts, 'sessions' | 'model'>) {
  const followed = new Map<
    string,
    { watchers: number; readonly stop: AbortController; ended: Promise<void> }
  >();
  const follow = (session: Session, signal: AbortSignal): Promise<void> => {
    const runs = runsOf(parts, session.user.sub);
    return followEvents(createGatewayClient(session), {
      clock: parts.clock,
      signal,
      changed: ({ id, state }) => {
        if (isSettledState(state)) runs.settled(id).catch(() => undefined);
      },
    }).catch(() => undefined);
  };
  return {
    /** @returns stops watching */
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
