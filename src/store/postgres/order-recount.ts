import { type Recounted, recountedNote } from '../rows/recounted.ts';
import { withHead } from './head.ts';
import type { TenantDatabase } from './tenant-database.ts';

/**
 * Dates every order of the tenant anew that a clock which was ahead dated after `now`, in one unit of work with its line of the
 * record: see SQLite's.
 * @param now milliseconds since the epoch, by a clock that is right
 */
export function recountOrders(database: TenantDatabase, now: number): Promise<Recounted> {
  return withHead(database, async (unit, head) => {
    const found = await unit.one<Recounted>(
      'SELECT count(*) AS orders, max(created_at) AS newest FROM gateway_orders WHERE created_at > @now',
      { now },
    );
    if (found === undefined || found.orders === 0) return { orders: 0, newest: null };
    await unit.run('UPDATE gateway_orders SET created_at = @now WHERE created_at > @now', { now });
    head.note(recountedNote(found), now);
    return found;
  });
}
