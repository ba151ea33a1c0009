import type { Lease } from '../../thread-store.ts';
import type { Unit } from '../tenant-database.ts';

/**
 * Whether a lease is still its holder's.
 * @param options.keep has it stay so until the unit ends: what is to be true of it is asked in the unit that relies on it
 */
export async function isHeldLease(
  unit: Unit,
  { thread, holder, epoch }: Lease,
  { keep }: { readonly keep: boolean },
): Promise<boolean> {
  const found = await unit.one(
    `SELECT FROM threads WHERE id = @thread AND lease_owner = @holder AND lease_epoch = @epoch${keep ? ' FOR SHARE' : ''}`,
    { thread, holder, epoch },
  );
  return found !== undefined;
}
