import type { CountedFacts } from '../../trading/counted-order.ts';
import { dayBegan } from '../../trading/new-york-time.ts';
import type { Counting, Usage } from '../order-journal.ts';
import {
  countedFacts,
  countingTime,
  type LateOrder,
  lateSince,
  type OpenOrder,
  type OutOrders,
  usageOf,
} from '../rows/order-counts.ts';
import { tradingStanding } from './halts.ts';
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

/** By when an account's orders are counted. @param clock milliseconds since the epoch */
export async function accountTime(unit: Unit, account: string, clock: number): Promise<number> {
  const row = await unit.one<{ newest: number | null }>(
    'SELECT max(created_at) AS newest FROM gateway_orders WHERE account = @account',
    { account },
  );
  return countingTime(row?.newest, clock);
}

/** @param sub whose trading may be halted */
async function outOf(unit: Unit, others: Others, sub: string, clock: number): Promise<OutOrders> {
  const now = await accountTime(unit, others.account, clock);
  const late = await unit.all<LateOrder>(
    `SELECT created_at, notional, terms FROM gateway_orders WHERE ${OTHERS} AND created_at >= @since`,
    { ...others, since: lateSince(now) },
  );
  const open = await unit.all<OpenOrder>(
    `SELECT symbol, side, notional, qty FROM gateway_orders
     WHERE ${OTHERS} AND over_at IS NULL AND state IN ('intent', 'placed', 'unknown')`,
    { ...others },
  );
  const { state } = await tradingStanding(unit, sub, now);
  return { now, clock, late, open, state };
}

/** What an order meets: in a unit of work that nobody adds an order to the account beside, or that writes nothing. */
export async function countOrder(unit: Unit, order: Counting, clock: number): Promise<CountedFacts> {
  const { sub, clientOrderId, draft, replaces = null } = order;
  const { account, symbol, side, slot = '' } = draft;
  const out = await outOf(unit, { account, sub, clientOrderId, replaces }, sub, clock);
  if (draft.mandate === undefined) return countedFacts(order, out, undefined);
  const query = { since: dayBegan(out.now), slot: { slot, symbol, side } };
  const mandate = await findMandate(unit, sub, draft.mandate, query, draft.client_order_id);
  return countedFacts(order, out, mandate ?? null);
}

export async function countUsage(unit: Unit, sub: string, account: string, clock: number): Promise<Usage> {
  // Nobody's order: no user has an empty id.
  const others = { account, sub: '', clientOrderId: '', replaces: null };
  return usageOf(await outOf(unit, others, sub, clock));
}
