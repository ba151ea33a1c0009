import type { Clock } from '../../machine/clock.ts';
import type { Lease, StoredThreadStatus, ThreadStore } from '../../store/thread-store.ts';
import { THREAD_LEASE_MS } from './threads.ts';

/** The right to drive one thread, kept until the run ends or another run takes it. */
export interface KeptLease {
  readonly lease: Lease;
  /** Whether it is still ours, by the store. */
  isHeld(): Promise<boolean>;
  /** Notes how the run ended, where it is still ours, and gives it back. Never throws. */
  end(status: StoredThreadStatus | undefined): Promise<void>;
}

/** Keeps the leases of all runs of one agent, with one statement for all of them. */
export type LeaseKeeper = ReturnType<typeof createLeaseKeeper>;

export function createLeaseKeeper(
  threads: Pick<ThreadStore, 'isHeld' | 'renew' | 'end'>,
  clock: Clock,
  holder: string,
) {
  const kept = new Map<string, () => void>();
  let stop: AbortController | undefined;

  const renew = async () => {
    // Those that are kept now: one that is taken while the store answers is not among those asked for.
    const asked = [...kept];
    const ids = asked.map(([thread]) => thread);
    const held = new Set(await threads.renew(holder, ids, clock.now() + THREAD_LEASE_MS));
    for (const [thread, lost] of asked) {
      if (held.has(thread) || kept.get(thread) !== lost) continue;
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
          await renew();
        } catch {
          // A busy database: the next round may get through, and until then the lease lasts.
        }
      }
    } catch {
      // Nothing left to keep.
    }
  };

  const forget = (thread: string, lost: () => void): void => {
    if (kept.get(thread) === lost) kept.delete(thread);
    if (kept.size > 0) return;
    stop?.abort();
    stop = undefined;
  };

  return {
    /**
     * @param lost called once, when another run has taken the thread: after this process was stopped, or its machine
     *   slept, for longer than the lease lasts
     */
    keep(lease: Lease, lost: () => void): KeptLease {
      const { thread } = lease;
      // An earlier run of this very agent, whose lease ran out while the machine slept.
      kept.get(thread)?.();
      kept.set(thread, lost);
      if (stop === undefined) {
        stop = new AbortController();
        void run(stop);
      }
      return {
        lease,
        isHeld: () => threads.isHeld(lease),
        async end(status) {
          forget(thread, lost);
          try {
            await threads.end(lease, status, clock.now());
          } catch {
            // A busy database must not cost the run its result: the next run in this thread notes how it stands. A lease
            // that can't be given back runs out by itself.
            await threads.end(lease, undefined, clock.now()).catch(() => undefined);
          }
        },
      };
    },
  };
}
