import { join } from 'node:path';
import { type HeldLock, withProcessLock } from '../process-lock.ts';
import type { LockPurpose } from './credential-store.ts';

/**
 * Longer than the longest exchange: two requests of 10 s (the second after a DPoP nonce challenge), three store calls
 * of 2 s, and the 15 s after which a killed holder's lock is free. A shorter wait would make a waiter give up, or
 * tempt it to send a refresh token that the holder is just using up.
 */
export const LOCK_WAIT_MS = 60_000;

/** The `exclusively` of both stores: one lock file a profile and purpose. */
export function storeLock(folder: string, profile: string) {
  return <T>(purpose: LockPurpose, work: (lock: HeldLock) => Promise<T>, signal?: AbortSignal): Promise<T> =>
    withProcessLock(join(folder, `.${profile}.${purpose}.lock`), { waitMs: LOCK_WAIT_MS, signal }, work);
}
