import type { OrderDraft } from '../../trading/order.ts';
import type { OrderType } from '../../trading/order-types.ts';
import { isFinalStatus, type Order, type Problem } from '../../trading/views.ts';
import type { OpenOrderEntry, OrderJournal, OrderJournalEntry, OrderJournalState, OrderKey } from '../order-journal.ts';
import { closedOrderAmounts, type ReservedAmounts } from '../rows/order-counts.ts';
import { releaseMandateUse, restoreMandateUse } from './mandate-store.ts';
import { all, type Dialect, one, run, type SqlTransactions, type TransactionWork } from './sql-database.ts';

export const ORDER_KEY_CONDITION = 'sub = @sub AND client_order_id = @clientOrderId';
export const UNSETTLED_ORDER_CONDITION = `${ORDER_KEY_CONDITION} AND state IN ('intent', 'unknown')`;
const UNAMBIGUOUS = `${UNSETTLED_ORDER_CONDITION} AND NOT ambiguous`;
const UNSENT = `${ORDER_KEY_CONDITION} AND state = 'intent' AND submitted_at IS NULL`;
const AS_SEEN = `${UNSETTLED_ORDER_CONDITION} AND submissions = @submissions AND submitted_at IS NOT DISTINCT FROM @submittedAt`;

/** Methods for claimed orders. Each changes an order only if the order's state allows it. */
export function createOrderChanges(database: SqlTransactions) {
  const { place, bytes, json, each, forUpdate } = database.dialect;
  const entries = async (where: string, values = {}) =>
    (await database.all<OrderRow>(`SELECT * FROM gateway_orders WHERE ${where}`, values)).map(toEntry);
  const reject = (key: OrderKey, problem: Problem, now: number, where: string) =>
    database.write(function* () {
      const changed = yield* run(
        `UPDATE gateway_orders SET state = 'rejected', result = @result, updated_at = @now WHERE ${where}`,
        { ...toOrderKey(key), result: JSON.stringify(problem), now },
      );
      // Releases the order's use of its mandate in the transaction that records the rejection.
      if (changed === 1) yield* releaseMandateUse(key);
      return changed === 1 ? ('rejected' as const) : ('stale' as const);
    });
  return {
    async approvedTypes(sub, clientOrderIds) {
      const ids = JSON.stringify(clientOrderIds.map((id) => ({ id })));
      const rows = await database.all<{ id: string; type: OrderType }>(
        `SELECT client_order_id AS id, ${json('draft')} ->> 'type' AS type FROM gateway_orders
         WHERE sub = @sub AND client_order_id IN (SELECT value ->> 'id' FROM ${each('@ids')})`,
        { sub, ids },
      );
      return new Map(rows.map(({ id, type }) => [id, type]));
    },
    find: async (sub, clientOrderId) => (await entries(ORDER_KEY_CONDITION, { sub, clientOrderId }))[0],
    async hasTraded(sub, symbol) {
      const row = await database.one(
        `SELECT 1 AS found FROM gateway_orders WHERE sub = @sub AND symbol = @symbol AND state = 'placed' LIMIT 1`,
        { sub, symbol },
      );
      return row !== undefined;
    },
    // `+` makes SQLite sort the result. With the index on created_at, SQLite would scan all orders that the account
    // ever placed.
    open: (account, limit) =>
      database.all<OpenOrderEntry>(
        `SELECT sub, client_order_id AS "clientOrderId", ${json('result')} ->> 'id' AS "orderId" FROM gateway_orders
         WHERE account = @account AND over_at IS NULL AND state IN ('intent', 'placed', 'unknown')
         ORDER BY +created_at, ${place} LIMIT @limit`,
        { account, limit },
      ),
    unsent: () =>
      entries(`over_at IS NULL AND state = 'intent' AND submitted_at IS NULL ORDER BY created_at, ${place}`),
    writtenOff: (since) => entries('written_off_at >= @since ORDER BY written_off_at, sub, client_order_id', { since }),
    accountsSince: (since) =>
      database.all(
        `SELECT DISTINCT sub${bytes} AS sub, account FROM gateway_orders
         WHERE created_at >= @since ORDER BY sub, account`,
        { since },
      ),
    recordReport: (key, order, now) => database.write(() => closeOrderIfFinal(forUpdate, key, order, now)),
    async reclaim(seen, now) {
      const { submissions, submittedAt } = seen;
      // If the order has a submission time, the broker may have accepted it. The next submission is then ambiguous.
      const changed = await database.run(
        `UPDATE gateway_orders
         SET state = 'intent', submissions = submissions + 1, updated_at = @now,
             ambiguous = ambiguous OR submitted_at IS NOT NULL, submitted_at = @now
         WHERE ${AS_SEEN}`,
        { ...toOrderKey(seen), submissions, submittedAt, now },
      );
      return changed === 1 ? 'claimed' : 'stale';
    },
    async release(key, now) {
      const changed = await database.run(
        `UPDATE gateway_orders SET state = 'intent', submitted_at = NULL, updated_at = @now WHERE ${UNAMBIGUOUS}`,
        { ...toOrderKey(key), now },
      );
      return changed === 1 ? 'released' : 'stale';
    },
    refuse: (key, problem, now) => reject(key, problem, now, UNAMBIGUOUS),
    reject: async (key, problem, now) => void (await reject(key, problem, now, UNSETTLED_ORDER_CONDITION)),
    abandon: (key, problem, now) => reject(key, problem, now, UNSENT),
    async writeOff(seen, problem, { now, reservedUntil }) {
      const { submissions, submittedAt } = seen;
      // The order still counts in its mandate's slot until `reservedUntil`.
      const changed = await database.run(
        `UPDATE gateway_orders
         SET state = 'rejected', result = @result, updated_at = @now, written_off_at = @now,
           reserved_until = @reservedUntil
         WHERE ${AS_SEEN}`,
        {
          ...toOrderKey(seen),
          submissions,
          submittedAt,
          result: JSON.stringify(problem),
          now,
          reservedUntil,
        },
      );
      return changed === 1 ? 'written_off' : 'stale';
    },
    async markUnknown(key, now) {
      await database.run(
        `UPDATE gateway_orders SET state = 'unknown', submitted_at = @now, updated_at = @now
         WHERE ${ORDER_KEY_CONDITION} AND state = 'intent'`,
        { ...toOrderKey(key), now },
      );
    },
  } satisfies Partial<OrderJournal>;
}

/**
 * Records that an order was placed after all, although it was recorded as rejected. The order counts toward its mandate
 * again, even if the mandate's limit for the period is already reached.
 */
export function* adoptRejectedOrder(
  forUpdate: Dialect['forUpdate'],
  key: OrderKey,
  order: Order,
  now: number,
): TransactionWork<'adopted' | 'known'> {
  const { sub } = key;
  const found = yield* one<OrderRow>(`SELECT * FROM gateway_orders WHERE ${ORDER_KEY_CONDITION}`, toOrderKey(key));
  if (found === undefined) return 'known';
  const { mandate, slot } = found;
  // Locks the mandate, because the order gets the lowest number that no other order in the slot has.
  if (mandate !== null)
    yield* all(`SELECT id FROM mandates WHERE sub = @sub AND id = @mandate${forUpdate}`, { sub, mandate });
  const changed = yield* run(
    `UPDATE gateway_orders SET state = 'placed', result = @result, updated_at = @now
     WHERE ${ORDER_KEY_CONDITION} AND state = 'rejected'`,
    { ...toOrderKey(key), result: JSON.stringify(order), now },
  );
  if (changed === 0) return 'known';
  const { symbol, side } = JSON.parse(found.draft) as OrderDraft;
  if (mandate !== null) yield* restoreMandateUse(key, mandate, { slot: slot ?? '', symbol, side });
  yield* closeOrderIfFinal(forUpdate, key, order, now);
  return 'adopted';
}

/** If a placed order has a final status, records that it is closed, and reduces its amounts to the filled part. */
export function* closeOrderIfFinal(
  forUpdate: Dialect['forUpdate'],
  key: OrderKey,
  order: Order,
  now: number,
): TransactionWork<void> {
  if (!isFinalStatus(order.status)) return;
  const reserved = yield* one<ReservedAmounts>(
    `SELECT notional, qty FROM gateway_orders
     WHERE ${ORDER_KEY_CONDITION} AND state = 'placed' AND over_at IS NULL${forUpdate}`,
    toOrderKey(key),
  );
  if (reserved === undefined) return;
  yield* run(
    `UPDATE gateway_orders SET over_at = @now, notional = @notional, qty = @qty WHERE ${ORDER_KEY_CONDITION}`,
    {
      ...toOrderKey(key),
      ...closedOrderAmounts(reserved, order),
      now,
    },
  );
}

export function toOrderKey({ sub, clientOrderId }: OrderKey): { sub: string; clientOrderId: string } {
  return { sub, clientOrderId };
}

interface OrderRow {
  readonly client_order_id: string;
  readonly digest: string;
  readonly sub: string;
  readonly draft: string;
  readonly replaces: string | null;
  readonly state: OrderJournalState;
  readonly submissions: number;
  readonly submitted_at: number | null;
  readonly ambiguous: number | boolean;
  readonly result: string | null;
  readonly written_off_at: number | null;
  readonly mandate: string | null;
  readonly slot: string | null;
}

function toEntry(row: OrderRow): OrderJournalEntry {
  return {
    clientOrderId: row.client_order_id,
    digest: row.digest,
    sub: row.sub,
    draft: JSON.parse(row.draft) as OrderDraft,
    replaces: row.replaces ?? undefined,
    state: row.state,
    submissions: row.submissions,
    submittedAt: row.submitted_at,
    ambiguous: Boolean(row.ambiguous),
    order: row.state === 'placed' && row.result !== null ? (JSON.parse(row.result) as Order) : undefined,
    problem: row.state === 'rejected' && row.result !== null ? (JSON.parse(row.result) as Problem) : undefined,
    writtenOffAt: row.written_off_at,
  };
}
