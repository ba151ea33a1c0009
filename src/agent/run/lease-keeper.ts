import type { Clock } from '../../machine/clock.ts';
import type { StoredThreadStatus, ThreadLease, ThreadStore } from '../../store/thread-store.ts';
import { THREAD_LEASE_MS } from './threads.ts';

export interface HeldLease {
  readonly lease: ThreadLease;
  isHeld(): Promise<boolean>;
  /** Stores the run's status and releases the lease if the run still has it. Never throws. */
  end(status: StoredThreadStatus | undefined): Promise<void>;
}

/** Renews the leases of all runs of an agent together, with one SQL statement. */
export type LeaseKeeper = ReturnType<typeof createLeaseKeeper>;

export function createLeaseKeeper(
  threads: Pick<ThreadStore, 'isHeld' | 'renew' | 'end'>,
  clock: Clock,
  holder: string,
) {
  const kept = new Map<string, () => void>();
  let stop: AbortController | undefined;

  const renew = async () => {
    // Copies the entries, because leases may be added while these are being renewed.
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
        await clock.sleep(THREAD_LEASE_MS / 3, running.signal);
        try {
          await renew();
        } catch {
          // The database may be busy. The lease lasts long enough for another attempt in a later round.
        }
      }
    } catch {}
  };

  const forget = (thread: string, lost: () => void): void => {
    if (kept.get(thread) === lost) kept.delete(thread);
    if (kept.size > 0) return;
    stop?.abort();
    stop = undefined;
  };

  return {
    /**
     * Renews a lease regularly until `end` of the returned object is called.
     * @param lost called once if another run took over the thread while this process or machine was suspended
     */
    keep(lease: ThreadLease, lost: () => void): HeldLease {
      const { thread } = lease;
      // Ends an earlier run of this agent on the same thread, whose lease expired while the machine slept.
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
            // A busy database must not make the run lose its result. The next run on the thread stores the status, and
            // the lease expires.
            await threads.end(lease, undefined, clock.now()).catch(() => undefined);
          }
        },
      };
    },
  };
}
