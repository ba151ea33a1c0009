import type { AuditNote } from '../audit.ts';
import { addLine } from './audit-store.ts';
import { lock, one, run, type SqlTransactions } from './sql-database.ts';

/** The number of redated orders, and the latest of their times before redating, in milliseconds since the epoch. */
export interface RedateResult {
  readonly orders: number;
  readonly newest: number | null;
}

/**
 * Corrects the journal after a clock was ahead: sets the time of all orders dated after `now` to `now`. These orders
 * then count toward today's and this minute's limits. The transaction includes the audit log entry.
 * @param now milliseconds since the epoch, from a correct clock
 */
export function redateOrders(database: SqlTransactions, now: number): Promise<RedateResult> {
  return database.write(function* () {
    yield* lock('recount');
    const found = yield* one<RedateResult>(
      'SELECT count(*) AS orders, max(created_at) AS newest FROM gateway_orders WHERE created_at > @now',
      { now },
    );
    if (found === undefined || found.orders === 0) return { orders: 0, newest: null };
    yield* run('UPDATE gateway_orders SET created_at = @now WHERE created_at > @now', { now });
    yield* addLine(recountNote(found), now);
    return found;
  });
}

function recountNote({ orders, newest }: RedateResult): AuditNote {
  const facts = { orders, newest: newest === null ? null : new Date(newest).toISOString() };
  return { event: 'orders_recounted', facts };
}
