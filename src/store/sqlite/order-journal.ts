import type Database from 'better-sqlite3-multiple-ciphers';
import {
  type CountedTotals,
  emptyTermsRange,
  type SimilarTermsRange,
  similarTermsRange,
} from '../../trading/counted-order.ts';
import type { MandateWithUse } from '../../trading/mandate/mandate.ts';
import { newYorkMidnight } from '../../trading/new-york-time.ts';
import type { OrderDraft } from '../../trading/order.ts';
import type { NewPolicyDecision } from '../decision-store.ts';
import type { LimitUsage, OrderClaim, OrderJournal, OrderJournalState, OrderToCheck } from '../order-journal.ts';
import {
  type AccountOrders,
  createOrderCountClock,
  type OpenOrder,
  type RecentOrder,
  recentOrdersStart,
  toCountedColumns,
  toCountedTotals,
  toLimitUsage,
  totalRecentOrders,
} from '../rows/order-counts.ts';
import { storeDecision } from '../sql/decision-store.ts';
import { readTradingState } from '../sql/halts.ts';
import { findMandate, recordMandateUse } from '../sql/mandate-store.ts';
import {
  adoptRejectedOrder,
  closeOrderIfFinal,
  createOrderChanges,
  ORDER_KEY_CONDITION,
  toOrderKey,
  UNSETTLED_ORDER_CONDITION,
} from '../sql/order-journal.ts';
import { one, run, type TransactionWork } from '../sql/sql-database.ts';
import { consumeApproval } from '../sql/used-approvals.ts';
import { createSqliteTransactions, createWorkRunner, type WorkRunner } from './sql-database.ts';

/** @param database the gateway's database, migrated to the latest version */
export function createSqliteOrderJournal(database: Database.Database): OrderJournal {
  const units = createSqliteTransactions(database);
  const { counted, usage, timeOf } = createOrderCounts(database, createWorkRunner(database));
  function* claim(
    order: OrderClaim,
    now: number,
    decide: ((facts: CountedTotals) => NewPolicyDecision) | undefined,
  ): TransactionWork<Awaited<ReturnType<OrderJournal['claim']>>> {
    const { approval, sub, clientOrderId, digest, draft, replaces, mandate, slot } = order;
    if ((yield* readState(order)) !== undefined) return 'known';
    const decision = decide?.(counted(order, now));
    if (decision?.effect === 'deny') {
      yield* storeDecision(decision, now);
      return 'denied';
    }
    if (!(yield* consumeApproval(approval, { kind: 'order', sub, subjectId: clientOrderId }, now)))
      return 'approval_used';
    if (decision !== undefined) yield* storeDecision(decision, now);
    yield* run(INSERT, {
      sub,
      clientOrderId,
      digest,
      now,
      ...toCountedColumns(order),
      // Time at which the order counts. It never goes back.
      countedAt: timeOf(draft.account, now),
      draft: JSON.stringify(draft),
      replaces: replaces ?? null,
      mandate: mandate ?? null,
      slot: slot ?? null,
    });
    if (mandate !== undefined) {
      const { symbol, side } = draft;
      yield* recordMandateUse(order, mandate, { slot: slot ?? '', symbol, side });
    }
    return 'claimed';
  }
  return {
    ...createOrderChanges(units),
    claim: (order, now, decide) => units.write(() => claim(order, now, decide)),
    count: async (order, now) => counted(order, now),
    usage: async (sub, account, now) => usage(sub, account, now),
    place: (key, order, now) =>
      units.write(function* () {
        const before = yield* readState(key);
        if (before === 'rejected') return yield* adoptRejectedOrder('', key, order, now);
        yield* run(
          `UPDATE gateway_orders SET state = 'placed', result = @result, updated_at = @now WHERE ${UNSETTLED_ORDER_CONDITION}`,
          { ...toOrderKey(key), result: JSON.stringify(order), now },
        );
        yield* closeOrderIfFinal('', key, order, now);
        return before === undefined || before === 'placed' ? 'known' : 'placed';
      }),
  };
}

const INSERT = `
  INSERT INTO gateway_orders
    (sub, client_order_id, digest, draft, replaces, state, submissions, submitted_at, ambiguous, created_at, updated_at,
     account, symbol, side, notional, qty, terms, mandate, slot)
  VALUES (@sub, @clientOrderId, @digest, @draft, @replaces, 'intent', 1, @now, 0, @countedAt, @now,
     @account, @symbol, @side, @notional, @qty, @terms, @mandate, @slot)`;

function* readState(key: Pick<OrderClaim, 'sub' | 'clientOrderId'>): TransactionWork<OrderJournalState | undefined> {
  const row = yield* one<{ state: OrderJournalState }>(
    `SELECT state FROM gateway_orders WHERE ${ORDER_KEY_CONDITION}`,
    toOrderKey(key),
  );
  return row?.state;
}

/** A key that matches no order, because no user's ID is empty. */
const NO_ORDER: { sub: string; clientOrderId: string; replaces: string | null } = {
  sub: '',
  clientOrderId: '',
  replaces: null,
};

/**
 * Returns functions that count an account's orders. Call them in the transaction that uses the counts, so that no other
 * order is written in the meantime.
 */
function createOrderCounts(database: Database.Database, runWork: WorkRunner) {
  const newest = database
    .prepare<[string], number | null>('SELECT max(created_at) FROM gateway_orders WHERE account = ?')
    .pluck();
  // Excludes the order to be checked and the order that it replaces.
  const others = `account = @account AND (state <> 'rejected' OR reserved_until > @now) AND NOT (sub = @sub AND client_order_id = @clientOrderId)
    AND NOT (@replaces IS NOT NULL AND state = 'placed' AND json_extract(result, '$.id') = @replaces)`;
  const recent = database.prepare<[object], RecentOrder>(`
    SELECT created_at, notional, terms FROM gateway_orders
    WHERE ${others} AND created_at >= @since`);
  const open = database.prepare<[object], OpenOrder>(`
    SELECT symbol, side, notional, qty FROM gateway_orders
    WHERE ${others} AND over_at IS NULL AND state IN ('intent', 'placed', 'unknown')`);

  const newestOf = (account: string): number | null => newest.get(account) ?? null;
  const counting = createOrderCountClock();
  const timeOf = (account: string, clock: number): number => counting.at(account, newestOf(account), clock);
  /**
   * Reads an account's orders, except the order in `key` and the order that it replaces.
   * @param sub the person whose trading state is read
   */
  const outOf = (
    key: typeof NO_ORDER & { readonly account: string },
    sub: string,
    clock: number,
    like: SimilarTermsRange,
  ): AccountOrders => {
    const now = timeOf(key.account, clock);
    return {
      now,
      newest: newestOf(key.account),
      clock,
      recent: totalRecentOrders(recent.all({ ...key, now, since: recentOrdersStart(now) }), now, like),
      open: open.all({ ...key, now }),
      state: runWork(readTradingState(sub, now)).state,
    };
  };
  const underMandate = (sub: string, draft: OrderDraft, now: number): MandateWithUse | null => {
    const { mandate = '', slot = '', symbol, side, client_order_id } = draft;
    const query = { since: newYorkMidnight(now), slot: { slot, symbol, side } };
    return runWork(findMandate(sub, mandate, query, client_order_id)) ?? null;
  };
  return {
    timeOf,
    counted(order: OrderToCheck, clock: number): CountedTotals {
      const { sub, clientOrderId, draft, replaces = null } = order;
      const key = { account: draft.account, sub, clientOrderId, replaces };
      const out = outOf(key, sub, clock, similarTermsRange(draft));
      return toCountedTotals(order, out, draft.mandate === undefined ? undefined : underMandate(sub, draft, out.now));
    },
    usage: (sub: string, account: string, clock: number): LimitUsage =>
      toLimitUsage(outOf({ ...NO_ORDER, account }, sub, clock, emptyTermsRange)),
  };
}
