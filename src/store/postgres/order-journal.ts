import {
  type CountedTotals,
  emptyTermsRange,
  type SimilarTermsRange,
  similarTermsRange,
} from '../../trading/counted-order.ts';
import { newYorkMidnight } from '../../trading/new-york-time.ts';
import { isFinalStatus, type Order } from '../../trading/views.ts';
import { MINUTE_MS } from '../../values/durations.ts';
import type { NewPolicyDecision } from '../decision-store.ts';
import type {
  LimitUsage,
  OrderClaim,
  OrderJournal,
  OrderJournalState,
  OrderKey,
  OrderToCheck,
} from '../order-journal.ts';
import {
  type AccountOrders,
  createOrderCountClock,
  IDENTICAL_ORDER_WINDOW_MS,
  type OpenOrder,
  type OrderCountClock,
  type RecentTotals,
  recentOrdersStart,
  toCountedColumns,
  toCountedTotals,
  toLimitUsage,
} from '../rows/order-counts.ts';
import { DECISION_RETENTION, decisionValues, storeDecision } from '../sql/decision-store.ts';
import { TRADING_STATE_COLUMNS, type TradingStateRow, tradingStateAt, tradingStateFromClause } from '../sql/halts.ts';
import { findMandate, recordMandateUse } from '../sql/mandate-store.ts';
import {
  adoptRejectedOrder,
  closeOrderIfFinal,
  createOrderChanges,
  ORDER_KEY_CONDITION,
  toOrderKey,
  UNSETTLED_ORDER_CONDITION,
} from '../sql/order-journal.ts';
import { postgresTransactions, runTransactionWork } from './sql-database.ts';
import type { TenantDatabase, Transaction } from './tenant-database.ts';

export function postgresOrderJournal(database: TenantDatabase): OrderJournal {
  const units = postgresTransactions(database, 'place');
  const counting = createOrderCountClock();
  return {
    ...createOrderChanges(units),
    claim: (order, now, decide) =>
      database.write((unit) => claimOrder(unit, database.tenant, order, { clock: now, counting }, decide)),
    count: (order, now) =>
      order.draft.mandate === undefined
        ? countOrder(units, order, { clock: now, counting })
        : database.read((unit) => countOrder(unit, order, { clock: now, counting })),
    usage: (sub, account, now) => countUsage(units, sub, account, { clock: now, counting }),
    async place(key, order, now) {
      // The write need not be durable. If a power failure undoes it, the next reader looks the order up at the broker.
      const before = await database.writeUnsynced((unit) => place(unit, key, order, now));
      if (before === 'rejected')
        return await database.write((unit) =>
          runTransactionWork(unit, adoptRejectedOrder(' FOR UPDATE', key, order, now)),
        );
      return before === undefined || before === 'placed' ? 'known' : 'placed';
    },
  };
}

/** Marks an unsettled order as placed and returns its previous state. Rejected orders: {@link adoptRejectedOrder}. */
const PLACE = `
  WITH seen AS (
    SELECT state FROM gateway_orders WHERE ${ORDER_KEY_CONDITION} FOR UPDATE
  ), placed AS (
    UPDATE gateway_orders SET state = 'placed', result = @result, updated_at = @now WHERE ${UNSETTLED_ORDER_CONDITION}
  )
  SELECT state FROM seen`;

async function place(
  unit: Transaction,
  key: OrderKey,
  order: Order,
  now: number,
): Promise<OrderJournalState | undefined> {
  const values = { ...toOrderKey(key), result: JSON.stringify(order), now };
  const placed = (isFinalStatus(order.status) ? unit : unit.last).one<{ state: OrderJournalState }>(PLACE, values);
  const [seen] = await Promise.all([
    placed,
    runTransactionWork(unit, closeOrderIfFinal(' FOR UPDATE', key, order, now)),
  ]);
  return seen?.state;
}

/*
 * Claiming an order takes two round trips to the database, because `decide` runs between them. Without `decide`, it
 * takes one.
 *
 *  1. Takes the locks, then reads. A statement sees everything that was committed before it began, and therefore
 *     everything that the previous holder of the lock has written.
 *  2. Writes everything in one statement and commits. It uses the approval only if this order does not exist yet, and
 *     writes the intent only if it used the approval.
 */

type Outcome = 'claimed' | 'known' | 'approval_used' | 'denied';

/**
 * Locks a mandate while an order under it is claimed. Until the transaction ends, no other transaction can count the
 * mandate's uses or end the mandate.
 */
async function lockMandate(unit: Transaction, sub: string, id: string): Promise<void> {
  await unit.all('SELECT FROM mandates WHERE sub = @sub AND id = @id FOR NO KEY UPDATE', { sub, id });
}

/** Claims an order (see {@link OrderJournal.claim}) in the transaction's last statement. */
async function claimOrder(
  unit: Transaction,
  tenant: string,
  order: OrderClaim,
  at: CountingClocks,
  decide: ((counted: CountedTotals) => NewPolicyDecision) | undefined,
): Promise<Outcome> {
  const { sub, clientOrderId, draft, mandate } = order;
  const { clock: now } = at;
  // Until the end of the transaction, no other transaction can count the account's orders or use this client_order_id.
  const locked = unit.all('SELECT pg_advisory_xact_lock(hashtextextended(key, 0)) FROM unnest(@keys::text[]) AS key', {
    keys: [JSON.stringify(['account', tenant, draft.account]), JSON.stringify(['order', tenant, sub, clientOrderId])],
  });
  const held = mandate === undefined ? undefined : lockMandate(unit, sub, mandate);
  const looked = decide && inspectOrder(unit, order, at);
  const [seen] = looked === undefined ? [] : await Promise.all([looked, locked, held]);
  if (seen?.isKnown === true) return 'known';
  const decision = seen && decide?.(seen.counted);
  if (decision?.effect === 'deny') {
    await runTransactionWork(unit, storeDecision(decision, now));
    return 'denied';
  }
  const written = writeClaim(mandate === undefined ? unit.last : unit, order, at, decision);
  const [outcome] = await Promise.all([written, locked, held]);
  if (mandate !== undefined && outcome === 'claimed') {
    const { symbol, side } = draft;
    await runTransactionWork(unit, recordMandateUse(order, mandate, { slot: order.slot ?? '', symbol, side }));
  }
  return outcome;
}

const SAME_ORDER = 'WHERE sub = @sub AND client_order_id = @clientOrderId';

/** SQL expression for the time at which a new order counts. It is never before the account's newest order. */
const COUNTED_AT = `greatest(@counted::bigint, (SELECT max(created_at) FROM gateway_orders WHERE account = @account))`;

const INTENT = `
  known AS (SELECT FROM gateway_orders ${SAME_ORDER}),
  -- With two concurrent claims, the second waits for the outcome of the first.
  spent AS (
    INSERT INTO used_approvals (issuer, jti, sub, kind, subject_id, used_at)
    SELECT @issuer, @jti, @sub, 'order', @clientOrderId, @now WHERE NOT EXISTS (SELECT FROM known)
    ON CONFLICT (tenant, issuer, jti) DO NOTHING RETURNING used_at
  ),
  intent AS (
    INSERT INTO gateway_orders
      (sub, client_order_id, digest, draft, replaces, state, submissions, submitted_at, created_at, updated_at,
       account, symbol, side, notional, qty, terms, mandate, slot)
    SELECT @sub, @clientOrderId, @digest, @draft, @replaces, 'intent', 1, @now, ${COUNTED_AT}, @now,
       @account, @symbol, @side, @notional, @qty, @terms, @mandate, @slot FROM spent
  )`;
const { most, every } = DECISION_RETENTION;
/**
 * Writes the decision about a claimed order, like {@link storeDecision}. Some parameter names differ, because the
 * statement that writes the order uses the same names for other parameters.
 */
const NOTED_DECISION = `
  noted AS (
    INSERT INTO decisions
      (at, sub, client, account, action, stage, subject_id, effect, reasons, texts, measured, policy, facts)
    SELECT @at, @decidedFor, @client, @decidedAbout, @action, @stage, @subjectId, @effect, @reasons, @texts, @measured,
      @policy, @facts FROM spent
    RETURNING id
  ),
  cleared AS (
    DELETE FROM decisions
    WHERE EXISTS (SELECT FROM noted WHERE id % ${every} = 0) AND sub = @decidedFor AND effect = @effect AND id <=
      (SELECT id FROM decisions WHERE sub = @decidedFor AND effect = @effect ORDER BY id DESC LIMIT 1 OFFSET ${most})
  )`;

function decisionColumns(note: NewPolicyDecision, now: number) {
  const { sub: decidedFor, account: decidedAbout, ...values } = decisionValues(note, now);
  return { ...values, decidedFor, decidedAbout };
}

const ANSWER = 'SELECT EXISTS (SELECT FROM known) AS known, EXISTS (SELECT FROM spent) AS spent';
const WRITE = `WITH ${INTENT} ${ANSWER}`;
const WRITE_DECIDED = `WITH ${INTENT}, ${NOTED_DECISION} ${ANSWER}`;

async function writeClaim(
  unit: Pick<Transaction, 'one'>,
  order: OrderClaim,
  { clock: now, counting }: CountingClocks,
  decision: NewPolicyDecision | undefined,
): Promise<Outcome> {
  const { approval, sub, clientOrderId, digest, draft, replaces, mandate, slot } = order;
  const row = await unit.one<{ known: boolean; spent: boolean }>(decision === undefined ? WRITE : WRITE_DECIDED, {
    ...(decision && decisionColumns(decision, now)),
    ...approval,
    sub,
    clientOrderId,
    digest,
    now,
    counted: counting.expected(draft.account, now),
    ...toCountedColumns(order),
    draft: JSON.stringify(draft),
    replaces: replaces ?? null,
    mandate: mandate ?? null,
    slot: slot ?? null,
  });
  if (row?.known === true) return 'known';
  return row?.spent === true ? 'claimed' : 'approval_used';
}

interface OtherOrdersQuery {
  readonly account: string;
  readonly sub: string;
  readonly clientOrderId: string;
  readonly replaces: string | null;
}

const OTHER_ORDERS = `account = @account AND (state <> 'rejected' OR reserved_until > @clock)
  AND NOT (sub = @sub AND client_order_id = @clientOrderId)
  AND NOT (@replaces::text IS NOT NULL AND state = 'placed' AND result::json ->> 'id' = @replaces)`;

/**
 * Reads an account's orders in one snapshot. PostgreSQL computes the exact sums of recent orders, because an account
 * may have thousands a day.
 * @see totalRecentOrders, which computes the same sums from rows
 */
const ACCOUNT_ORDERS = `
  SELECT newest, recent.*, open, known, ${TRADING_STATE_COLUMNS}
  FROM (SELECT max(created_at) AS newest FROM gateway_orders WHERE account = @account) AS counting,
    LATERAL (
      SELECT coalesce(sum(notional::numeric) FILTER (WHERE created_at >= @began), 0)::text AS notional,
        count(*) FILTER (WHERE created_at >= @began) AS orders,
        count(*) FILTER (WHERE created_at > greatest(@clock::bigint, newest) - ${MINUTE_MS}) AS last_minute,
        max(created_at) FILTER (
          WHERE CASE WHEN starts_with(terms, @prefix) THEN
              (terms::json ->> 2)::numeric BETWEEN @least::numeric AND @most::numeric
            END AND created_at >= least(@began, greatest(@clock::bigint, newest) - ${IDENTICAL_ORDER_WINDOW_MS})
        ) AS same_at
      FROM gateway_orders WHERE ${OTHER_ORDERS} AND created_at >= @since
    ) AS recent,
    (
      SELECT coalesce(json_agg(json_build_object('symbol', symbol, 'side', side, 'notional', notional, 'qty', qty)), '[]')
        AS open
      FROM gateway_orders
      WHERE ${OTHER_ORDERS} AND over_at IS NULL AND state IN ('intent', 'placed', 'unknown')
    ) AS open_orders,
    (SELECT EXISTS (SELECT FROM gateway_orders WHERE sub = @sub AND client_order_id = @clientOrderId) AS known) AS itself,
    ${tradingStateFromClause('@owner')}`;

interface AccountOrdersRow extends RecentTotals, TradingStateRow {
  readonly newest: number | null;
  readonly open: readonly OpenOrder[];
  readonly known: boolean;
}

interface AccountOrdersQuery extends SimilarTermsRange {
  readonly owner: string;
}

/** A transaction, or a database that runs each query in its own transaction. */
type QuerySource = Pick<Transaction, 'one' | 'all'>;

async function readAccountOrders(
  unit: QuerySource,
  others: OtherOrdersQuery,
  whose: AccountOrdersQuery,
  { clock, counting }: CountingClocks,
): Promise<AccountOrders & { readonly isKnown: boolean }> {
  const outAt = async (at: number) => {
    const times = { clock: at, began: newYorkMidnight(at), since: recentOrdersStart(at) };
    return (await unit.one<AccountOrdersRow>(ACCOUNT_ORDERS, {
      ...others,
      ...whose,
      ...times,
    })) as AccountOrdersRow;
  };
  const expected = counting.expected(others.account, clock);
  const found = await outAt(expected);
  const now = counting.at(others.account, found.newest, clock);
  const isAsExpected = now >= expected && newYorkMidnight(now) === newYorkMidnight(expected);
  const row = isAsExpected ? found : await outAt(now);
  const { notional, orders, last_minute, same_at, open, known } = row;
  const recent = { notional, orders, last_minute, same_at };
  return {
    now,
    newest: row.newest,
    clock,
    recent,
    open,
    state: tradingStateAt(row, now).state,
    isKnown: known,
  };
}

interface CountingClocks {
  readonly clock: number;
  readonly counting: OrderCountClock;
}

/**
 * Counts an account's orders, to check a new order against limits. The transaction must be read-only or block other
 * claims for the account.
 */
async function countOrder(unit: QuerySource, order: OrderToCheck, at: CountingClocks): Promise<CountedTotals> {
  return (await inspectOrder(unit, order, at)).counted;
}

/** Like {@link countOrder}, but also returns whether an order with this `client_order_id` exists. */
async function inspectOrder(unit: QuerySource, order: OrderToCheck, at: CountingClocks) {
  const { sub, clientOrderId, draft, replaces = null } = order;
  const { account, symbol, side, slot = '' } = draft;
  const whose = { owner: sub, ...similarTermsRange(draft) };
  const { isKnown, ...out } = await readAccountOrders(unit, { account, sub, clientOrderId, replaces }, whose, at);
  if (draft.mandate === undefined) return { isKnown, counted: toCountedTotals(order, out, undefined) };
  const query = { since: newYorkMidnight(out.now), slot: { slot, symbol, side } };
  const mandate = await runTransactionWork(unit, findMandate(sub, draft.mandate, query, draft.client_order_id));
  return { isKnown, counted: toCountedTotals(order, out, mandate ?? null) };
}

async function countUsage(unit: QuerySource, sub: string, account: string, at: CountingClocks): Promise<LimitUsage> {
  // This key excludes no order, because no user's ID is empty.
  const others = { account, sub: '', clientOrderId: '', replaces: null };
  return toLimitUsage(await readAccountOrders(unit, others, { owner: sub, ...emptyTermsRange }, at));
}
