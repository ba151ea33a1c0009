import { type CountedFacts, sameTerms } from '../../trading/counted-order.ts';
import { dayBegan } from '../../trading/new-york-time.ts';
import type { Counting, Usage } from '../order-journal.ts';
import {
  countedFacts,
  countingTime,
  type LateOrders,
  lateSince,
  MINUTE_MS,
  NO_TERMS,
  type OpenOrder,
  type OutOrders,
  SAME_WITHIN_MS,
  usageOf,
} from '../rows/order-counts.ts';
import { tradingStandingBy } from './halts.ts';
import { findMandate } from './mandate-store.ts';
import type { Unit } from './tenant-database.ts';

/** An account, without one order, and without the one that it is put in place of. */
interface Others {
  readonly account: string;
  readonly sub: string;
  readonly clientOrderId: string;
  readonly replaces: string | null;
}

const OTHERS = `account = @account AND state <> 'rejected'
  AND NOT (sub = @sub AND client_order_id = @clientOrderId)
  AND NOT (@replaces::text IS NOT NULL AND state = 'placed' AND result::json ->> 'id' = @replaces)`;

/** Summed up there, exactly: an account may have thousands of a day. @see lateOrders, of rows */
const LATE = `
  SELECT coalesce(sum(notional::numeric) FILTER (WHERE created_at >= @began), 0)::text AS notional,
    count(*) FILTER (WHERE created_at >= @began) AS orders,
    count(*) FILTER (WHERE created_at > counting.now - ${MINUTE_MS}) AS last_minute,
    max(created_at) FILTER (WHERE terms = @terms AND created_at >= least(@began, counting.now - ${SAME_WITHIN_MS})) AS same_at
  FROM gateway_orders, (
    SELECT greatest(@clock::bigint, max(created_at)) AS now FROM gateway_orders WHERE account = @account
  ) AS counting
  WHERE ${OTHERS} AND created_at >= @since`;

const lateBy = async (unit: Unit, others: Others, terms: string, clock: number): Promise<LateOrders> => {
  const times = { clock, began: dayBegan(clock), since: lateSince(clock) };
  return (await unit.one<LateOrders>(LATE, { ...others, ...times, terms })) as LateOrders;
};

interface Whose {
  /** Whose trading may be halted. */
  readonly sub: string;
  readonly terms: string;
}

async function outOf(unit: Unit, others: Others, { sub, terms }: Whose, clock: number): Promise<OutOrders> {
  const { account } = others;
  const [found, late, open, standing] = await Promise.all([
    unit.one<{ newest: number | null }>(
      'SELECT max(created_at) AS newest FROM gateway_orders WHERE account = @account',
      { account },
    ),
    lateBy(unit, others, terms, clock),
    unit.all<OpenOrder>(
      `SELECT symbol, side, notional, qty FROM gateway_orders
       WHERE ${OTHERS} AND over_at IS NULL AND state IN ('intent', 'placed', 'unknown')`,
      { ...others },
    ),
    tradingStandingBy(unit, sub),
  ]);
  const now = countingTime(found?.newest, clock);
  const isOfAnotherDay = dayBegan(now) !== dayBegan(clock);
  const ofDay = isOfAnotherDay ? await lateBy(unit, others, terms, now) : late;
  return { now, clock, late: ofDay, open, state: standing(now).state };
}

/** What an order meets: in a unit of work that nobody adds an order to the account beside, or that writes nothing. */
export async function countOrder(unit: Unit, order: Counting, clock: number): Promise<CountedFacts> {
  const { sub, clientOrderId, draft, replaces = null } = order;
  const { account, symbol, side, slot = '' } = draft;
  const whose = { sub, terms: sameTerms(draft) };
  const out = await outOf(unit, { account, sub, clientOrderId, replaces }, whose, clock);
  if (draft.mandate === undefined) return countedFacts(order, out, undefined);
  const query = { since: dayBegan(out.now), slot: { slot, symbol, side } };
  const mandate = await findMandate(unit, sub, draft.mandate, query, draft.client_order_id);
  return countedFacts(order, out, mandate ?? null);
}

export async function countUsage(unit: Unit, sub: string, account: string, clock: number): Promise<Usage> {
  // Nobody's order: no user has an empty id.
  const others = { account, sub: '', clientOrderId: '', replaces: null };
  return usageOf(await outOf(unit, others, { sub, terms: NO_TERMS }, clock));
}
