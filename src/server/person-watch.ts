import type { Session } from '../auth/session/session.ts';
import { followEvents } from '../tools/gateway/follow-events.ts';
import { createGatewayClient } from '../tools/gateway/gateway-client.ts';
import { isSettledState } from '../trading/proposal.ts';
import { runsOf, type ServerParts } from './server-parts.ts';

/** Follows what the gateway tells of a person's proposals for as long as somebody of theirs watches a run here. */
export interface PersonWatch {
  /** @returns ends it, where nobody else of theirs watches */
  watch(session: Session): () => void;
  close(): Promise<void>;
}

/**
 * One stream a person, however many watch: what has settled has the runs taken up that wait for it, a moment after the tap. Where
 * it breaks off for good the collector is there all the same, only later.
 */
export function createPersonWatch(parts: Omit<ServerParts, 'sessions' | 'model'>): PersonWatch {
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
    watch(session) {
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
    async close() {
      const all = [...followed.values()];
      for (const { stop } of all) stop.abort();
      await Promise.all(all.map(({ ended }) => ended));
    },
  };
}
