import type { Clock } from '../trading/clock.ts';
import type { StateDatabase } from './state-database.ts';

/** How often to look whether another process took an approval back. */
const WATCH_MS = 1_000;

/**
 * Notices approvals that are taken back while somebody waits for them: a cancel by another process shows only in the
 * row. One look a second for all that are waited for, and none while nothing in the database has changed, so that
 * thousands can wait at once.
 */
export interface CancelWatch {
  /** Calls `cancelled` once, when the approval is found cancelled. Returns how to stop. */
  watch(id: string, cancelled: () => void): () => void;
}

export function createCancelWatch(database: StateDatabase, clock: Clock): CancelWatch {
  const watched = new Map<string, Set<() => void>>();
  const cancelledAmong = database
    .prepare<[string], string>(
      `SELECT id FROM approvals WHERE status = 'cancelled' AND id IN (SELECT value FROM json_each(?))`,
    )
    .pluck();
  const ownChanges = database.prepare<[], number>('SELECT total_changes()').pluck();
  /** Differs from the one before once any process has changed anything. */
  const revision = () => `${database.pragma('data_version', { simple: true })} ${ownChanges.get()}`;
  let stop: AbortController | undefined;

  const look = () => {
    for (const id of cancelledAmong.all(JSON.stringify([...watched.keys()]))) {
      const callbacks = watched.get(id);
      watched.delete(id);
      for (const cancelled of callbacks ?? []) cancelled();
    }
  };

  const run = async (running: AbortController) => {
    let seen: string | undefined;
    try {
      while (!running.signal.aborted) {
        const now = revision();
        if (now !== seen) look();
        seen = now;
        await clock.sleep(WATCH_MS, running.signal);
      }
    } catch {
      // Stopped; or the database is closed or busy. Then the next wait begins anew, and each poll reads the row too.
    } finally {
      if (stop === running) stop = undefined;
    }
  };

  return {
    watch(id, cancelled) {
      const callbacks = watched.get(id) ?? new Set();
      watched.set(id, callbacks.add(cancelled));
      if (stop === undefined) {
        stop = new AbortController();
        void run(stop);
      }
      return () => {
        callbacks.delete(cancelled);
        if (callbacks.size === 0 && watched.get(id) === callbacks) watched.delete(id);
        if (watched.size > 0) return;
        stop?.abort();
        stop = undefined;
      };
    },
  };
}
