import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { TradeAgentError } from '../trading/errors.ts';
import { ensurePrivateFolder } from './home.ts';

/** A lock its owner no longer refreshes is free after this long: how long a kill -9 keeps others waiting. */
const STALE_MS = 15_000;

/** What the holder of a lock gets. */
export interface HeldLock {
  /** Aborts when the lock was lost (the machine slept and another process took it over): stop, write nothing. */
  readonly signal: AbortSignal;
}

/**
 * Runs `work` while no other process (and nothing else in this one) holds the lock `file`.
 * @param waitMs must exceed the longest time a holder may take, or a waiter gives up on a healthy one
 * @throws {TradeAgentError} `busy` when the lock isn't free in time; the reason of `signal` when it aborts
 */
export async function withProcessLock<T>(
  file: string,
  options: { waitMs: number; signal?: AbortSignal | undefined },
  work: (lock: HeldLock) => Promise<T>,
): Promise<T> {
  const { default: lockfile } = await import('proper-lockfile');
  ensurePrivateFolder(dirname(file));
  const lost = new AbortController();
  const deadline = performance.now() + options.waitMs;
  let release: () => Promise<void>;
  for (;;) {
    options.signal?.throwIfAborted();
    try {
      release = await lockfile.lock(file, {
        realpath: false,
        lockfilePath: file,
        stale: STALE_MS,
        update: STALE_MS / 3,
        onCompromised: () =>
          lost.abort(new TradeAgentError('busy', 'another process took over while this one was suspended')),
      });
      break;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ELOCKED') throw error;
      if (performance.now() > deadline) {
        throw new TradeAgentError(
          'busy',
          'another trade-agent process holds the credentials and does not let go',
          {
            hint: 'Wait until it has finished, or end it, then try again.',
          },
        );
      }
      // Uneven steps, so that waiters do not knock all at once.
      await delay(15 + Math.random() * 45, undefined, options.signal ? { signal: options.signal } : {});
    }
  }
  try {
    return await work({ signal: lost.signal });
  } finally {
    // A lock that was lost is somebody else's by now; there is nothing left to release.
    await release().catch(() => {});
  }
}
