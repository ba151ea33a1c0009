import type { Lease } from '../thread-store.ts';
import type { StateDatabase } from './state-database.ts';

/** Whether a lease is still its holder's. What is to be true of it must be asked in the transaction that relies on it. */
export function heldLease(database: StateDatabase): (lease: Lease) => boolean {
  const select = database.prepare<[string, string, number]>(
    'SELECT 1 FROM threads WHERE id = ? AND lease_owner = ? AND lease_epoch = ?',
  );
  return ({ thread, holder, epoch }) => select.get(thread, holder, epoch) !== undefined;
}
