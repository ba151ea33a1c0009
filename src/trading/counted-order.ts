import { contractMultiplier } from './asset-class.ts';
import { Dec, toPlain } from './decimal.ts';
import type { MandateWithUse } from './mandate/mandate.ts';
import { assignmentEffect, type UsedCover } from './option-cover.ts';
import type { OrderDraft } from './order.ts';
import type { TradingState } from './policy-views.ts';
import { boundedOrder } from './worst-case.ts';

/**
 * Totals of an account from the gateway's journal, read in the transaction that claims an order. They include every
 * order that may have been sent, except rejected orders, the claimed order itself and the order that it replaces.
 */
export interface CountedTotals {
  readonly state: TradingState;
  /** Total value in dollars of all orders, buys and sells, since midnight in New York. */
  readonly day_notional: string;
  readonly day_orders: number;
  readonly last_minute: number;
  /** Number of orders that may have been sent and are not known to have ended. */
  readonly open_orders: number;
  readonly open_symbol_notional: string;
  readonly open_symbol_sells: string;
  /** Seconds since today's last order with similar terms (`similarTermsRange`). Null if there was no such order. */
  readonly same_before: number | null;
  readonly opposes_open: boolean;
  /**
   * Seconds by which the newest order's time is ahead of the clock. Set only if it is more than a day ahead, because
   * counts per day are then unreliable.
   */
  readonly clock_behind?: number;
  /** For an option order: the shares and cash that open orders already use as cover. Absent for other orders. */
  readonly covering?: UsedCover;
  /** The mandate that the order names. Null if the owner has no such mandate. Absent if the order names no mandate. */
  readonly mandate?: MandateWithUse | null;
}

export const emptyCountedTotals: CountedTotals = {
  state: 'active',
  day_notional: '0',
  day_orders: 0,
  last_minute: 0,
  open_orders: 0,
  open_symbol_notional: '0',
  open_symbol_sells: '0',
  same_before: null,
  opposes_open: false,
};

/**
 * Returns an order's size for checking limits. A buy counts at its maximum cost. A sell counts at the higher of its
 * limit price and the reference price, so that a low limit can't make a large sale look small. An option sold to open
 * counts at its strike. The cost of a purchase includes its fees.
 * @returns `notional` in dollars, rounded up to the cent, or null if unbounded; `qty` in shares, computed at the
 *   reference price and rounded up if the order is in dollars
 */
export function countedSize(draft: OrderDraft) {
  const notional = exactNotional(draft);
  const { qty, reference_price } = draft;
  const shares = qty ?? new Dec(draft.notional ?? 0).div(reference_price).toDecimalPlaces(9, Dec.ROUND_UP);
  return { notional: notional?.toFixed(2, Dec.ROUND_UP) ?? null, qty: toPlain(shares) };
}

/**
 * Returns the order's counted size in dollars. If that is unbounded, returns the value of the order's quantity at the
 * reference price plus the slippage.
 */
export function reservedDollars(draft: OrderDraft): string {
  const { notional, qty } = countedSize(draft);
  const { reference_price, max_slippage } = draft;
  return (
    notional ??
    new Dec(qty)
      .times(contractMultiplier(draft.symbol))
      .times(reference_price)
      .times(new Dec(1).plus(max_slippage))
      .toFixed(2, Dec.ROUND_UP)
  );
}

export function addOrdersToTotals(drafts: readonly OrderDraft[], counted: CountedTotals): CountedTotals {
  return {
    ...counted,
    day_notional: new Dec(counted.day_notional).plus(sumReservedDollars(drafts)).toFixed(2),
    day_orders: counted.day_orders + drafts.length,
  };
}

export function sumReservedDollars(drafts: readonly OrderDraft[]): string {
  return Dec.sum(0, ...drafts.map(reservedDollars)).toFixed(2);
}

/**
 * Returns a key for detecting an accidental repeat of an order: its symbol, side and number of shares. The number of
 * shares of an order in dollars is computed at the reference price.
 */
export function repeatKey(draft: OrderDraft): string {
  return JSON.stringify([draft.symbol, draft.side, countedSize(draft).qty]);
}

export interface SimilarTermsRange {
  readonly prefix: string;
  readonly least: string;
  readonly most: string;
}

export const emptyTermsRange: SimilarTermsRange = { prefix: '-', least: '0', most: '0' };

/**
 * Returns the range of quantities that count as similar: two orders are similar if the smaller is at least two thirds
 * of the larger. A narrower range would miss an order in shares that is repeated in dollars, or a quantity that a model
 * rounded.
 */
export function similarTermsRange(draft: OrderDraft): SimilarTermsRange {
  const shares = new Dec(countedSize(draft).qty);
  return {
    prefix: `${JSON.stringify([draft.symbol, draft.side]).slice(0, -1)},`,
    least: shares.times(2).div(3).toDecimalPlaces(18, Dec.ROUND_DOWN).toFixed(),
    most: shares.times(3).div(2).toFixed(),
  };
}

export function isSimilarOrder(terms: string, { prefix, least, most }: SimilarTermsRange): boolean {
  if (!terms.startsWith(prefix)) return false;
  const [, , shares] = JSON.parse(terms) as readonly [symbol: string, side: string, qty: string];
  return new Dec(shares).gte(least) && new Dec(shares).lte(most);
}

function exactNotional(draft: OrderDraft): Dec | undefined {
  const { side, qty = '0', limit_price, reference_price, symbol, ...rest } = boundedOrder(draft);
  const units = new Dec(qty).times(contractMultiplier(symbol));
  const assignment = assignmentEffect(draft);
  if (assignment !== undefined) return new Dec(assignment.cash);
  // The exits of a buy only reduce the position, so they don't count.
  if (side === 'buy') return limit_price === undefined ? undefined : units.times(limit_price).plus(rest.max_fees ?? 0);
  return units.times(Dec.max(reference_price, limit_price ?? rest.take_profit_limit_price ?? 0));
}
