import { Dec } from '../../trading/decimal.ts';
import type { MandateEnvelope } from '../../trading/mandate/envelope.ts';
import { mandateTransitions, type StoredMandateState } from '../../trading/mandate/mandate.ts';
import type {
  CountedMandate,
  GrantedMandate,
  MandateQuery,
  MandateSlot,
  MandateStore,
  StoredMandate,
} from '../mandate-store.ts';
import type { OrderKey } from '../order-journal.ts';
import { addLine } from './audit-store.ts';
import { all, lockPeople, one, run, type SqlTransactions, type TransactionWork } from './sql-database.ts';
import { insertStandingOrder, makeStandingOrderDue } from './standing-order-store.ts';
import { consumeApproval } from './used-approvals.ts';

export function createMandateStore(database: SqlTransactions): MandateStore {
  return {
    grant: (mandate, now) =>
      database.write(function* () {
        yield* lockPeople(mandate.sub);
        const { sub, id, terms, digest, approval } = mandate;
        const { replaces } = terms;
        const earlier = yield* findRow(sub, id);
        if (earlier !== undefined) return earlier.digest === digest ? 'known' : 'approval_used';
        if (replaces !== undefined && !isAllowedTransition((yield* findRow(sub, replaces))?.state, 'replaced'))
          return 'not_replaceable';
        if (!(yield* consumeApproval(approval, { kind: 'mandate', sub, subjectId: id }, now))) return 'approval_used';
        yield* writeGranted(mandate, now);
        return 'granted';
      }),
    find: (sub, id, query) => database.read(() => findMandate(sub, id, query)),
    list: (sub, query) =>
      database.read(function* () {
        const rows = yield* all<MandateRow>(
          `SELECT * FROM mandates WHERE sub = @sub ORDER BY created_at DESC, id${database.dialect.bytes}`,
          { sub },
        );
        const mandates: CountedMandate[] = [];
        for (const row of rows) mandates.push(yield* countUses(row, query, ''));
        return mandates;
      }),
    end: ({ sub, id }, to, by, now) =>
      database.write(function* () {
        yield* lockPeople(sub);
        const before = yield* findRow(sub, id);
        if (before === undefined) return 'unknown';
        if (before.state === to) return 'ended';
        if (!isAllowedTransition(before.state, to)) return 'barred';
        yield* setState(sub, id, to, now);
        yield* addLine({ event: `mandate_${to}`, facts: { sub, mandate: id, by } }, now);
        return 'ended';
      }),
  };
}

function* writeGranted(mandate: GrantedMandate, now: number): TransactionWork<void> {
  const { sub, id, terms, digest } = mandate;
  const { replaces } = terms;
  if (replaces !== undefined) {
    yield* setState(sub, replaces, 'replaced', now);
    yield* addLine({ event: 'mandate_replaced', facts: { sub, mandate: replaces, by: id } }, now);
  }
  yield* run(
    `INSERT INTO mandates (sub, id, terms, digest, state, created_at, updated_at)
     VALUES (@sub, @id, @terms, @digest, 'active', @now, @now)`,
    { sub, id, terms: JSON.stringify(terms), digest, now },
  );
  yield* insertStandingOrder(mandate, now);
  yield* addLine({ event: 'mandate_granted', facts: { sub, mandate: id, digest, terms } }, now);
}

const findRow = (sub: string, id: string) =>
  one<MandateRow>('SELECT * FROM mandates WHERE sub = @sub AND id = @id', { sub, id });

function* setState(sub: string, id: string, to: string, now: number): TransactionWork<void> {
  yield* run('UPDATE mandates SET state = @to, updated_at = @now WHERE sub = @sub AND id = @id', { sub, id, to, now });
  yield* makeStandingOrderDue(sub, id);
}

/**
 * Finds a mandate and its use. Must run within a transaction, so that both are from the same snapshot.
 * @param excluded `client_order_id` of the order that is being checked, which is not counted
 */
export function* findMandate(
  sub: string,
  id: string,
  query: MandateQuery,
  excluded = '',
): TransactionWork<CountedMandate | undefined> {
  const row = yield* findRow(sub, id);
  return row && (yield* countUses(row, query, excluded));
}

/**
 * An order uses up the amounts in its journal row, which are reduced to the filled part when the order closes.
 * Written-off orders count until the end of their day.
 */
const USES = `FROM mandate_uses AS uses JOIN gateway_orders AS orders USING (sub, client_order_id)
  WHERE uses.sub = @sub AND uses.mandate = @mandate AND (orders.state <> 'rejected' OR orders.reserved_until > @since)
    AND uses.client_order_id <> @excluded`;

function* countUses(row: MandateRow, { since, slot }: MandateQuery, excluded: string): TransactionWork<CountedMandate> {
  const key = { sub: row.sub, mandate: row.id, excluded, since };
  const uses = yield* all<MandateUse>(`SELECT orders.notional, orders.created_at AS at ${USES}`, key);
  if (slot === undefined) return toCountedMandate(row, uses, since, 0);
  const taken = yield* one<{ count: number }>(
    `SELECT count(*) AS count ${USES} AND uses.slot = @slot AND uses.symbol = @symbol AND uses.side = @side`,
    { ...key, ...slot },
  );
  return toCountedMandate(row, uses, since, taken?.count ?? 0);
}

/** Records that an order uses a mandate. Does not check the mandate. Call in the transaction that claims the order. */
export function* recordMandateUse(
  { sub, clientOrderId }: OrderKey,
  mandate: string,
  slot: MandateSlot,
): TransactionWork<void> {
  const taken = yield* all<{ n: number }>(
    `SELECT n FROM mandate_uses
     WHERE sub = @sub AND mandate = @mandate AND slot = @slot AND symbol = @symbol AND side = @side ORDER BY n`,
    { sub, mandate, ...slot },
  );
  yield* run(
    `INSERT INTO mandate_uses (sub, mandate, slot, symbol, side, n, client_order_id)
     VALUES (@sub, @mandate, @slot, @symbol, @side, @n, @clientOrderId)`,
    { sub, clientOrderId, mandate, ...slot, n: freePlace(taken.map(({ n }) => n)) },
  );
}

/**
 * Records an order's use of a mandate again, after the use was released and the order was then found at the broker.
 * Records it even if the mandate's limit for the period is already reached.
 */
export function* restoreMandateUse(key: OrderKey, mandate: string, slot: MandateSlot): TransactionWork<void> {
  const { sub, clientOrderId } = key;
  const held = yield* one('SELECT n FROM mandate_uses WHERE sub = @sub AND client_order_id = @clientOrderId', {
    sub,
    clientOrderId,
  });
  if (held === undefined) yield* recordMandateUse(key, mandate, slot);
}

/** Releases an order's use of its mandate, in the transaction that rejects the order. */
export function* releaseMandateUse({ sub, clientOrderId }: OrderKey): TransactionWork<void> {
  yield* run('DELETE FROM mandate_uses WHERE sub = @sub AND client_order_id = @clientOrderId', {
    sub,
    clientOrderId,
  });
}

interface MandateRow {
  readonly sub: string;
  readonly id: string;
  readonly terms: string;
  readonly digest: string;
  readonly state: StoredMandateState;
  readonly created_at: number;
  readonly updated_at: number;
}

interface MandateUse {
  readonly notional: string;
  readonly at: number;
}

/**
 * Returns a mandate and how much of it is used.
 * @param uses the uses by all orders that were not rejected
 * @param since start of the day, in milliseconds since the epoch
 * @param inSlot number of uses in the current period
 */
function toCountedMandate(row: MandateRow, uses: readonly MandateUse[], since: number, inSlot: number): CountedMandate {
  const sum = (of: readonly MandateUse[]) =>
    of.reduce((total, { notional }) => total.plus(notional), new Dec(0)).toFixed(2);
  return {
    ...toMandate(row),
    used: {
      total_notional: sum(uses),
      day_notional: sum(uses.filter(({ at }) => at >= since)),
      orders: uses.length,
    },
    inSlot,
  };
}

/** Returns the lowest free number in a period, starting at 1. @param taken the numbers in use, in ascending order */
function freePlace(taken: readonly number[]): number {
  const gap = taken.findIndex((place, index) => place !== index + 1);
  return gap === -1 ? taken.length + 1 : gap + 1;
}

function isAllowedTransition(from: StoredMandateState | undefined, to: StoredMandateState): boolean {
  return from !== undefined && mandateTransitions[from].includes(to);
}

function toMandate({ sub, id, terms, state, created_at, updated_at }: MandateRow): StoredMandate {
  return {
    sub,
    id,
    terms: JSON.parse(terms) as MandateEnvelope,
    state,
    createdAt: created_at,
    updatedAt: updated_at,
  };
}
