import type Database from 'better-sqlite3-multiple-ciphers';
import { type Recounted, recountedNote } from '../rows/recounted.ts';
import { auditNotes } from './audit-store.ts';

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
      note(recountedNote(found), now);
      return found;
    })
    .immediate();
}
