import type { Clock } from '../../machine/clock.ts';
import { THREAD_LEASE_MS, type ThreadStore } from './thread-store.ts';

/** The right to drive one thread, kept until it is released or another run takes it. */
export interface KeptLease {
  /** Whether it is still ours, by the database. */
  isHeld(): boolean;
  release(): void;
}

/** Keeps the leases of all runs of one agent, with one statement for all of them. */
export interface LeaseKeeper {
  /**
   * @param lost called once, when another run has taken the thread: after this process was stopped, or its machine
   *   slept, for longer than the lease lasts
   * @throws {TradeAgentError} `busy`
   */
  keep(thread: string, lost: () => void): KeptLease;
}

export function createLeaseKeeper(
  threads: Pick<ThreadStore, 'lease' | 'renewAll'>,
  clock: Clock,
  holder: string,
): LeaseKeeper {
  const kept = new Map<string, () => void>();
  let stop: AbortController | undefined;

  const renew = () => {
    const held = new Set(threads.renewAll(holder, [...kept.keys()]));
    for (const [thread, lost] of [...kept]) {
      if (held.has(thread)) continue;
      kept.delete(thread);
      lost();
    }
  };

  const run = async (running: AbortController) => {
    try {
      for (;;) {
        // Three times in a lease's life.
        await clock.sleep(THREAD_LEASE_MS / 3, running.signal);
        try {
          renew();
        } catch {
          // A busy database: the next round may get through, and until then the lease lasts.
        }
      }
    } catch {
      // Nothing left to keep.
    }
  };

  return {
    keep(thread, lost) {
      const lease = threads.lease(thread, holder);
      // An earlier run of this very agent, whose lease ran out while the machine slept.
      kept.get(thread)?.();
      kept.set(thread, lost);
      if (stop === undefined) {
        stop = new AbortController();
        void run(stop);
      }
      return {
        isHeld: () => lease.isHeld(),
        release: () => {
          if (kept.get(thread) === lost) kept.delete(thread);
          if (kept.size === 0) {
            stop?.abort();
            stop = undefined;
          }
          try {
            lease.release();
          } catch {
            // A busy database must not cost the run its result: the lease runs out by itself.
          }
        },
      };
    },
  };
}
