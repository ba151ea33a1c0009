import type Database from 'better-sqlite3-multiple-ciphers';
import { auditNotes } from './audit-store.ts';

/** What was dated anew: how many orders, and the latest time that one had, milliseconds since the epoch. */
export interface Recounted {
  readonly orders: number;
  readonly newest: number | null;
}

/**
 * Dates every order anew that a clock which was ahead dated after `now`: it counts for this very day and minute, so none of
 * them gives anything back. In one unit of work with its line of the record.
 * @param database the gateway's, of any version
 * @param now milliseconds since the epoch, by a clock that is right
 */
export function recountOrders(database: Database.Database, now: number): Recounted {
  const note = auditNotes(database);
  const ahead = database.prepare<[number], Recounted>(
    'SELECT count(*) AS orders, max(created_at) AS newest FROM gateway_orders WHERE created_at > ?',
  );
  const redate = database.prepare<[number, number]>(
    'UPDATE gateway_orders SET created_at = ? WHERE created_at > ?',
  );
  return database
    .transaction(() => {
      const found = ahead.get(now) ?? { orders: 0, newest: null };
      if (found.orders === 0 || found.newest === null) return found;
      redate.run(now, now);
      const newest = new Date(found.newest).toISOString();
      note({ event: 'orders_recounted', facts: { orders: found.orders, newest } }, now);
      return found;
    })
    .immediate();
}
