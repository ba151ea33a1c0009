import { closeSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { TradeAgentError } from '../errors/errors.ts';
import { ensurePrivateFolder } from './directories.ts';

/**
 * Runs `work` while nobody else, in this process or another, holds the lock `file`. It is an operating system lock,
 * taken by SQLite on that file: it ends with the process that holds it, never by age. A lock that expires could be
 * taken over by two at once, and from a process that was only suspended. The empty file stays: if it could be removed,
 * two could each hold one of that name.
 * @param options.what for the message; credentials by default
 * @param options.busy the whole message, where the usual one doesn't fit
 * @param options.waitMs must exceed the longest time a holder may take, or a waiter gives up on a healthy one
 * @throws {TradeAgentError} `busy` when the lock isn't free in time; the reason of `signal` when it aborts
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
        const held = `another trade-agent process holds ${options.what ?? 'the credentials'} and does not let go`;
        const { message = held, hint = 'Wait until it has finished, or end it, then try again.' } =
          options.busy ?? {};
        throw new TradeAgentError('busy', message, { hint });
      }
      // Random steps, so that waiters don't all try at once.
      await delay(15 + Math.random() * 45);
    }
    return await work();
  } finally {
    lock.close();
  }
}

/** SQLite would make it readable for others. An existing one is never opened: closing it would release its lock. */
function makeLockFile(file: string): void {
  try {
    closeSync(openSync(file, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}
