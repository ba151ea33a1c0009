import { closeSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { TradeAgentError } from '../errors/errors.ts';
import { ensurePrivateFolder } from './directories.ts';

/**
 * Runs `work` while no other process (and nothing else in this one) holds the lock `file`. It is the operating system's
 * lock, taken on that file by SQLite: it ends with the process that holds it, however that ends, and not with time. A
 * lock that counts as abandoned after a while can be taken over by two who find it so at once, and from one who was
 * only suspended. The empty file stays: if it could be removed, two could each hold one of that name.
 * @param options.what is locked, for the message; credentials unless said otherwise
 * @param options.waitMs must exceed the longest time a holder may take, or a waiter gives up on a healthy one
 * @throws {TradeAgentError} `busy` when the lock isn't free in time; the reason of `signal` when it aborts
 */
export async function withProcessLock<T>(
  file: string,
  options: { what?: string; waitMs: number; signal?: AbortSignal | undefined },
  work: () => Promise<T>,
): Promise<T> {
  const { default: Database } = await import('better-sqlite3-multiple-ciphers');
  ensurePrivateFolder(dirname(file));
  makeLockFile(file);
  const deadline = performance.now() + options.waitMs;
  const lock = new Database(file, { timeout: 0 });
  try {
    for (;;) {
      options.signal?.throwIfAborted();
      try {
        lock.exec('BEGIN EXCLUSIVE');
        break;
      } catch (error) {
        if ((error as { code?: unknown }).code !== 'SQLITE_BUSY') throw error;
      }
      if (performance.now() > deadline) {
        throw new TradeAgentError(
          'busy',
          `another trade-agent process holds ${options.what ?? 'the credentials'} and does not let go`,
          {
            hint: 'Wait until it has finished, or end it, then try again.',
          },
        );
      }
      // Uneven steps, so that waiters do not knock all at once.
      await delay(15 + Math.random() * 45);
    }
    return await work();
  } finally {
    lock.close();
  }
}

/** SQLite itself would make it readable for others. Never opened where it is there: closing it would end a lock on it. */
function makeLockFile(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
