import { dirname, join } from 'node:path';
import { isTradeAgentError, TradeAgentError } from '../errors/errors.ts';
import { withProcessLock } from '../machine/process-lock.ts';
import type { LockPurpose } from './credential-store.ts';

/**
 * Maximum wait for a lock. It is longer than the longest token refresh: four requests of 10 s (a request, a second one
 * after a DPoP nonce challenge, and both again if this machine's clock is off) and three store calls of 2 s. With a
 * shorter wait, a process would give up too early, or might send a refresh token that the lock's holder is using.
 */
export const LOCK_WAIT_MS = 60_000;

/** Returns the `exclusively` method of the file and keychain stores, with one lock file per profile and purpose. */
export function createStoreLock(folder: string, profile: string) {
  return <T>(purpose: LockPurpose, work: () => Promise<T>, signal?: AbortSignal): Promise<T> =>
    withStoreLock(join(folder, `.${profile}.${purpose}.lock`), { waitMs: LOCK_WAIT_MS, signal }, work);
}

/**
 * Like {@link withProcessLock}, for a credential store's own files: a read-only folder or a full disk is reported as an
 * error of the store, not as a bug.
 * @throws {TradeAgentError} `credential_store_unavailable`, and what {@link withProcessLock} and `work` throw
 */
export async function withStoreLock<T>(
  file: string,
  options: Parameters<typeof withProcessLock>[1],
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await withProcessLock(file, options, work);
  } catch (error) {
    const { code, syscall } = error as NodeJS.ErrnoException;
    const isOurs = syscall !== undefined || String(code).startsWith('SQLITE_');
    if (isTradeAgentError(error) || code === undefined || !isOurs) throw error;
    throw new TradeAgentError(
      'credential_store_unavailable',
      `credentials can't be stored in ${dirname(file)} (${code})`,
      {
        hint: "Check the folder's permissions and the free space, then try again.",
        details: { state: 'unwritable' },
      },
    );
  }
}
