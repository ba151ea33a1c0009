import type Database from 'better-sqlite3-multiple-ciphers';
import { unitsOf } from '../../trading/asset-class.ts';
import { type CountedFacts, countOf, reservedFor, sameTerms } from '../../trading/counted-order.ts';
import { Dec, ZERO } from '../../trading/decimal.ts';
import type { CountedTerms } from '../../trading/mandate/mandate.ts';
import { dayBegan } from '../../trading/new-york-time.ts';
import { coveringOf } from '../../trading/option-cover.ts';
import type { OrderDraft } from '../../trading/order.ts';
import type { Order } from '../../trading/views.ts';
import type { Claim, Counting, OpenEntry, OrderKey, Usage } from '../order-journal.ts';
import { tradingStandings } from './halts.ts';
import { mandateReads } from './mandate-store.ts';

/** Longer than any `min_seconds_between_same`. */
const SAME_WITHIN_MS = 86_400_000;
const MINUTE_MS = 60_000;
/**
 * A newest order that is dated so long after the clock was dated by a clock that was wrong, or this one is: whose day it is
 * can't be told, and nothing is placed until somebody has looked.
 */
const MOST_AHEAD_MS = 86_400_000;
/** Nobody's: no user has an empty id. */
const NO_ORDER = { sub: '', clientOrderId: '', replaces: null };

/** An order's columns that are counted by. */
export function countedColumns({ draft }: Pick<Claim, 'draft'>) {
  return {
    account: draft.account,
    symbol: draft.symbol,
    side: draft.side,
    notional: reservedFor(draft),
    qty: countOf(draft).qty,
    terms: sameTerms(draft),
  };
}

/**
 * What is counted of an account. To be called in the transaction that goes by it: the sums are over rows, exact in decimals,
 * and nobody writes another one meanwhile.
 */
export function orderCounts(database: Database.Database) {
  const standing = tradingStandings(database);
  const mandates = mandateReads(database);
  const newest = database
    .prepare<[string], number | null>('SELECT max(created_at) FROM gateway_orders WHERE account = ?')
    .pluck();
  // The order itself, and the one that it is put in place of, are no others.
  const others = `account = @account AND state <> 'rejected' AND NOT (sub = @sub AND client_order_id = @clientOrderId)
    AND NOT (@replaces IS NOT NULL AND state = 'placed' AND json_extract(result, '$.id') = @replaces)`;
  const since = database.prepare<[object], Counted>(`
    SELECT created_at, notional, terms FROM gateway_orders
    WHERE ${others} AND created_at >= @since`);
  const open = database.prepare<[object], Open>(`
    SELECT symbol, side, notional, qty FROM gateway_orders
    WHERE ${others} AND over_at IS NULL AND state IN ('intent', 'placed', 'unknown')`);

  /** A clock that is set back is not believed: the newest order tells that it was later already. */
  const timeOf = (account: string, now: number): number => Math.max(now, newest.get(account) ?? 0);
  const behind = (counting: number, clock: number) =>
    counting - clock > MOST_AHEAD_MS ? { clock_behind: Math.floor((counting - clock) / 1000) } : {};

  /** All that may have gone out, but for one order and the one that it is put in place of. */
  const outOf = (key: { readonly account: string }, sub: string, clock: number) => {
    const now = timeOf(key.account, clock);
    const began = dayBegan(now);
    const rows = since.all({ ...key, since: Math.min(began, now - SAME_WITHIN_MS) });
    const ofDay = rows.filter(({ created_at }) => created_at >= began);
    const standingOnes = open.all(key);
    const used: Usage = {
      state: standing(sub, now).state,
      day_notional: sum(ofDay.map(({ notional }) => notional)).toFixed(2),
      day_orders: ofDay.length,
      last_minute: rows.filter(({ created_at }) => created_at > now - MINUTE_MS).length,
      open_orders: standingOnes.length,
      ...behind(now, clock),
    };
    return { now, rows, standingOnes, used };
  };

  const counted = ({ sub, clientOrderId, draft, replaces }: Counting, clock: number): CountedFacts => {
    const { account, symbol, side } = draft;
    const key = { account, sub, clientOrderId, replaces: replaces ?? null };
    const { now, rows, standingOnes, used } = outOf(key, sub, clock);
    const terms = sameTerms(draft);
    const same = rows.flatMap((row) => (row.terms === terms ? [row.created_at] : []));
    const inSymbol = standingOnes.filter((row) => row.symbol === symbol);
    const covering = coveringOf(symbol, standingOnes);
    return {
      ...used,
      open_symbol_notional: sum(
        inSymbol.flatMap((row) => (row.side === 'buy' ? [row.notional] : [])),
      ).toFixed(2),
      open_symbol_sells: sum(inSymbol.flatMap((row) => (row.side === 'sell' ? [row.qty] : []))).toFixed(),
      same_before: same.length === 0 ? null : Math.floor((now - Math.max(...same)) / 1000),
      opposes_open: inSymbol.some((row) => row.side !== side),
      ...(covering === undefined ? {} : { covering }),
      ...(draft.mandate === undefined ? {} : { mandate: underMandate(sub, draft, now) }),
    };
  };
  const underMandate = (sub: string, draft: OrderDraft, now: number): CountedTerms | null => {
    const { mandate = '', slot = '', symbol, side, client_order_id } = draft;
    const query = { since: dayBegan(now), slot: { slot, symbol, side } };
    return mandates.find(sub, mandate, query, client_order_id) ?? null;
  };
  const usage = (sub: string, account: string, clock: number): Usage =>
    outOf({ ...NO_ORDER, account }, sub, clock).used;
  return { counted, usage, timeOf };
}

/** Which orders are not known to be over, and what is written once one is. */
export function orderEndings(database: Database.Database) {
  // Sorted after they are found (`+`): in the order of an index, SQLite would go through all that the account ever placed.
  const open = database.prepare<[string, number], OpenEntry>(`
    SELECT sub, client_order_id AS clientOrderId, json_extract(result, '$.id') AS orderId,
      created_at AS claimedAt FROM gateway_orders
    WHERE account = ? AND over_at IS NULL AND state IN ('intent', 'placed', 'unknown')
    ORDER BY +created_at LIMIT ?`);
  const select = database.prepare<[string, string], Reserved>(
    'SELECT notional, qty FROM gateway_orders WHERE sub = ? AND client_order_id = ?',
  );
  const end = database.prepare(`
    UPDATE gateway_orders SET over_at = @now, notional = @notional, qty = @qty
    WHERE sub = @sub AND client_order_id = @clientOrderId AND state = 'placed' AND over_at IS NULL`);
  return {
    open: (account: string, limit: number) => open.all(account, limit),
    /** Within a transaction. */
    endIfOver({ sub, clientOrderId }: OrderKey, order: Order, now: number): void {
      const reserved = select.get(sub, clientOrderId);
      if (reserved === undefined || !isOver(order)) return;
      end.run({ sub, clientOrderId, ...filledPart(reserved, order), now });
    },
  };
}

interface Reserved {
  readonly notional: string;
  readonly qty: string;
}

/** What an order that is over counts for: all of it, or the part that was filled, at its worst. */
function filledPart({ notional, qty }: Reserved, order: Order): Reserved {
  if (order.status === 'filled') return { notional, qty };
  const filled = new Dec(order.filled_qty);
  if (filled.isZero()) return { notional: '0.00', qty: '0' };
  const part =
    order.qty === null
      ? filled.times(unitsOf(order.symbol)).times(order.filled_avg_price ?? 0)
      : new Dec(notional).times(filled).div(order.qty);
  return {
    notional: Dec.min(part, notional).toFixed(2, Dec.ROUND_UP),
    qty: Dec.min(filled, qty).toFixed(),
  };
}

/** For good: one that is `done_for_day` may go on tomorrow. */
function isOver({ status }: Order): boolean {
  return ['filled', 'canceled', 'expired', 'rejected', 'replaced'].includes(status);
}

function sum(amounts: readonly string[]): Dec {
  return amounts.reduce((total, amount) => total.plus(amount), ZERO);
}

interface Counted {
  readonly created_at: number;
  readonly notional: string;
  readonly terms: string;
}

interface Open {
  readonly symbol: string;
  readonly side: string;
  readonly notional: string;
  readonly qty: string;
}
