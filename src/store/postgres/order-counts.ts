import { type CountedFacts, noTerms, type SameTerms, termsLike } from '../../trading/counted-order.ts';
import { dayBegan } from '../../trading/new-york-time.ts';
import { MINUTE_MS } from '../../values/durations.ts';
import type { Counting, Usage } from '../order-journal.ts';
import {
  type CountingClock,
  countedFacts,
  type LateOrders,
  lateSince,
  type OpenOrder,
  type OutOrders,
  SAME_WITHIN_MS,
  usageOf,
} from '../rows/order-counts.ts';
import { STANDING, type StandingRow, standingAt, standingFor } from '../sql/halts.ts';
import { findMandate } from '../sql/mandate-store.ts';
import { driveWork } from './sql-database.ts';
import type { Unit } from './tenant-database.ts';

/** An account, without one order, and without the one that it is put in place of. */
interface Others {
  readonly account: string;
  readonly sub: string;
  readonly clientOrderId: string;
  readonly replaces: string | null;
}

const OTHERS = `account = @account AND (state <> 'rejected' OR reserved_until > @clock)
  AND NOT (sub = @sub AND client_order_id = @clientOrderId)
  AND NOT (@replaces::text IS NOT NULL AND state = 'placed' AND result::json ->> 'id' = @replaces)`;

/**
 * All of it as of one moment. What may have gone out lately is summed up there, exactly: an account may have thousands of a day.
 * @see lateOrders, of rows; `isLike` for what is the same
 */
const OUT = `
  SELECT newest, late.*, open, known, ${STANDING}
  FROM (SELECT max(created_at) AS newest FROM gateway_orders WHERE account = @account) AS counting,
    LATERAL (
      SELECT coalesce(sum(notional::numeric) FILTER (WHERE created_at >= @began), 0)::text AS notional,
        count(*) FILTER (WHERE created_at >= @began) AS orders,
        count(*) FILTER (WHERE created_at > greatest(@clock::bigint, newest) - ${MINUTE_MS}) AS last_minute,
        max(created_at) FILTER (
          WHERE CASE WHEN starts_with(terms, @prefix) THEN
              (terms::json ->> 2)::numeric BETWEEN @least::numeric AND @most::numeric
            END AND created_at >= least(@began, greatest(@clock::bigint, newest) - ${SAME_WITHIN_MS})
        ) AS same_at
      FROM gateway_orders WHERE ${OTHERS} AND created_at >= @since
    ) AS late,
    (
      SELECT coalesce(json_agg(json_build_object('symbol', symbol, 'side', side, 'notional', notional, 'qty', qty)), '[]')
        AS open
      FROM gateway_orders
      WHERE ${OTHERS} AND over_at IS NULL AND state IN ('intent', 'placed', 'unknown')
    ) AS open_orders,
    (SELECT EXISTS (SELECT FROM gateway_orders WHERE sub = @sub AND client_order_id = @clientOrderId) AS known) AS itself,
    ${standingFor('@owner')}`;

interface OutRow extends LateOrders, StandingRow {
  readonly newest: number | null;
  readonly open: readonly OpenOrder[];
  readonly known: boolean;
}

interface Whose extends SameTerms {
  /** Whose trading may be halted. */
  readonly owner: string;
}

/** A unit of work, or what asks each time by itself: where one statement tells all there is to tell. */
type Asked = Pick<Unit, 'one' | 'all'>;

async function outOf(
  unit: Asked,
  others: Others,
  whose: Whose,
  { clock, counting }: CountedAt,
): Promise<OutOrders & { readonly isKnown: boolean }> {
  const outAt = async (at: number) => {
    const times = { clock: at, began: dayBegan(at), since: lateSince(at) };
    return (await unit.one<OutRow>(OUT, { ...others, ...whose, ...times })) as OutRow;
  };
  const expected = counting.expected(others.account, clock);
  const found = await outAt(expected);
  const now = counting.at(others.account, found.newest, clock);
  const isAsExpected = now >= expected && dayBegan(now) === dayBegan(expected);
  const row = isAsExpected ? found : await outAt(now);
  const { notional, orders, last_minute, same_at, open, known } = row;
  const late = { notional, orders, last_minute, same_at };
  return { now, newest: row.newest, clock, late, open, state: standingAt(row, now).state, isKnown: known };
}

/** By which time it is counted. */
export interface CountedAt {
  /** This machine's, milliseconds since the epoch. */
  readonly clock: number;
  readonly counting: CountingClock;
}

/** What an order meets: in a unit of work that nobody adds an order to the account beside, or that writes nothing. */
export async function countOrder(unit: Asked, order: Counting, at: CountedAt): Promise<CountedFacts> {
  return (await lookAtOrder(unit, order, at)).counted;
}

/** The same, and whether there is one of this client_order_id already. */
export async function lookAtOrder(unit: Asked, order: Counting, at: CountedAt) {
  const { sub, clientOrderId, draft, replaces = null } = order;
  const { account, symbol, side, slot = '' } = draft;
  const whose = { owner: sub, ...termsLike(draft) };
  const { isKnown, ...out } = await outOf(unit, { account, sub, clientOrderId, replaces }, whose, at);
  if (draft.mandate === undefined) return { isKnown, counted: countedFacts(order, out, undefined) };
  const query = { since: dayBegan(out.now), slot: { slot, symbol, side } };
  const mandate = await driveWork(unit, findMandate(sub, draft.mandate, query, draft.client_order_id));
  return { isKnown, counted: countedFacts(order, out, mandate ?? null) };
}

export async function countUsage(unit: Asked, sub: string, account: string, at: CountedAt): Promise<Usage> {
  // Nobody's order: no user has an empty id.
  const others = { account, sub: '', clientOrderId: '', replaces: null };
  return usageOf(await outOf(unit, others, { owner: sub, ...noTerms }, at));
}
