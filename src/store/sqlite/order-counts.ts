import type Database from 'better-sqlite3-multiple-ciphers';
import { type CountedFacts, noTerms, type SameTerms, termsLike } from '../../trading/counted-order.ts';
import type { CountedTerms } from '../../trading/mandate/mandate.ts';
import { dayBegan } from '../../trading/new-york-time.ts';
import type { OrderDraft } from '../../trading/order.ts';
import type { Counting, Usage } from '../order-journal.ts';
import {
  countedFacts,
  countingClock,
  type LateOrder,
  lateOrders,
  lateSince,
  type OpenOrder,
  type OutOrders,
  usageOf,
} from '../rows/order-counts.ts';
import { tradingStanding } from '../sql/halts.ts';
import { findMandate } from '../sql/mandate-store.ts';
import type { RunWork } from './sql-database.ts';

/** Nobody's: no user has an empty id. */
const NO_ORDER: { sub: string; clientOrderId: string; replaces: string | null } = {
  sub: '',
  clientOrderId: '',
  replaces: null,
};

/** What is counted of an account. To be called in the transaction that goes by it: nobody writes another order meanwhile. */
export function orderCounts(database: Database.Database, runWork: RunWork) {
  const newest = database
    .prepare<[string], number | null>('SELECT max(created_at) FROM gateway_orders WHERE account = ?')
    .pluck();
  // The order itself, and the one that it is put in place of, are no others.
  const others = `account = @account AND (state <> 'rejected' OR reserved_until > @now) AND NOT (sub = @sub AND client_order_id = @clientOrderId)
    AND NOT (@replaces IS NOT NULL AND state = 'placed' AND json_extract(result, '$.id') = @replaces)`;
  const late = database.prepare<[object], LateOrder>(`
    SELECT created_at, notional, terms FROM gateway_orders
    WHERE ${others} AND created_at >= @since`);
  const open = database.prepare<[object], OpenOrder>(`
    SELECT symbol, side, notional, qty FROM gateway_orders
    WHERE ${others} AND over_at IS NULL AND state IN ('intent', 'placed', 'unknown')`);

  const newestOf = (account: string): number | null => newest.get(account) ?? null;
  const counting = countingClock();
  const timeOf = (account: string, clock: number): number => counting.at(account, newestOf(account), clock);
  /** @param sub whose trading may be halted */
  const outOf = (
    key: typeof NO_ORDER & { readonly account: string },
    sub: string,
    clock: number,
    like: SameTerms,
  ): OutOrders => {
    const now = timeOf(key.account, clock);
    return {
      now,
      newest: newestOf(key.account),
      clock,
      late: lateOrders(late.all({ ...key, now, since: lateSince(now) }), now, like),
      open: open.all({ ...key, now }),
      state: runWork(tradingStanding(sub, now)).state,
    };
  };
  const underMandate = (sub: string, draft: OrderDraft, now: number): CountedTerms | null => {
    const { mandate = '', slot = '', symbol, side, client_order_id } = draft;
    const query = { since: dayBegan(now), slot: { slot, symbol, side } };
    return runWork(findMandate(sub, mandate, query, client_order_id)) ?? null;
  };
  return {
    timeOf,
    counted(order: Counting, clock: number): CountedFacts {
      const { sub, clientOrderId, draft, replaces = null } = order;
      const key = { account: draft.account, sub, clientOrderId, replaces };
      const out = outOf(key, sub, clock, termsLike(draft));
      return countedFacts(
        order,
        out,
        draft.mandate === undefined ? undefined : underMandate(sub, draft, out.now),
      );
    },
    usage: (sub: string, account: string, clock: number): Usage =>
      usageOf(outOf({ ...NO_ORDER, account }, sub, clock, noTerms)),
  };
}
