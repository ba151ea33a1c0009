import { closeSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { TradeAgentError } from '../errors/errors.ts';
import { ensurePrivateFolder } from './directories.ts';

/**
 * Runs `work` while nobody else, in this process or another, holds SQLite's lock on `file`. The operating system
 * releases the lock when the process ends. The lock never expires: an expired lock could have two holders, one of which
 * was only suspended. The empty file is never removed, because two processes could then each lock a different file of
 * that name.
 * @param options.what the locked resource's name in the error message; `the credentials` by default
 * @param options.busy replaces the error's message and hint
 * @param options.waitMs must exceed the longest time that a holder may take; otherwise a waiter gives up on a healthy
 *   holder
 * @throws {TradeAgentError} `busy` if the lock isn't free in time; the reason of `signal` when it aborts
 */
export async function withProcessLock<T>(
  file: string,
  options: {
    what?: string;
    waitMs: number;
    signal?: AbortSignal | undefined;
    busy?: { readonly message: string; readonly hint: string };
  },
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
        const held = `another trade-agent process is using ${options.what ?? 'the credentials'}`;
        const { message = held, hint = 'Wait for it to finish, or stop it, then try again.' } = options.busy ?? {};
        throw new TradeAgentError('busy', message, { hint });
      }
      // Random delays keep waiting processes from retrying at the same time.
      await delay(15 + Math.random() * 45);
    }
    return await work();
  } finally {
    lock.close();
  }
}

/**
 * Creates the lock file, which SQLite would make readable to others. Does not open an existing lock file, because
 * closing it would release a lock that this process holds.
 */
function makeLockFile(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
