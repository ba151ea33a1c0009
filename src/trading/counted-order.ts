import { unitsOf } from './asset-class.ts';
import { Dec, plain } from './decimal.ts';
import type { CountedTerms } from './mandate/mandate.ts';
import type { Covering } from './option-cover.ts';
import { assignmentOf } from './option-cover.ts';
import type { OrderDraft } from './order.ts';
import type { TradingState } from './policy-views.ts';
import { boundedOrder } from './worst-case.ts';

/**
 * What the gateway's own journal counts, read in the transaction that claims the order. All but `state` is the account's.
 * Counted is what may have gone out; what was refused is not. The order itself is not among it, nor the one that it is put
 * in place of. Dollars and shares are decimal strings.
 */
export interface CountedFacts {
  readonly state: TradingState;
  /** Dollars of all orders, purchases and sales, since the day began in New York. */
  readonly day_notional: string;
  readonly day_orders: number;
  /** Orders of the last sixty seconds. */
  readonly last_minute: number;
  /** Orders that went out, or may have, and are not known to be over. */
  readonly open_orders: number;
  /** Dollars of the purchases in the order's symbol among those. */
  readonly open_symbol_notional: string;
  /** Shares of the order's symbol in the sales among those. */
  readonly open_symbol_sells: string;
  /** Seconds since an order of about the same terms (`termsLike`); null where there is none today. */
  readonly same_before: number | null;
  /** Whether an order of the other side is open in the same symbol. */
  readonly opposes_open: boolean;
  /**
   * Seconds by which the newest order is dated after the clock, where that is more than a day: one of the two is wrong, and
   * whose day it is can't be told.
   */
  readonly clock_behind?: number;
  /** Of an order for an option: what is out of what would stand behind it; absent for any other. */
  readonly covering?: Covering;
  /** The mandate that the order names; null where its owner has none such, absent where it names none. */
  readonly mandate?: CountedTerms | null;
}

/** Before the first order, where trading goes on. */
export const nothingCounted: CountedFacts = {
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

/** What an order counts for from the moment it is claimed. */
interface OrderCount {
  /** Dollars, rounded up to the cent; null where nothing bounds it. */
  readonly notional: string | null;
  /** Shares; of an order for an amount, as many as that is at the reference price, rounded up. */
  readonly qty: string;
}

/**
 * A purchase counts at the most that it can cost, a sale at the reference price or its own, whichever is higher, so that a
 * low limit makes no large sale small. An option that is sold to open counts at its strike: that is what can come of it.
 */
export function countOf(draft: OrderDraft): OrderCount {
  const notional = exactNotional(draft);
  const { qty, reference_price } = draft;
  const shares = qty ?? new Dec(draft.notional ?? 0).div(reference_price).toDecimalPlaces(9, Dec.ROUND_UP);
  return { notional: notional?.toFixed(2, Dec.ROUND_UP) ?? null, qty: plain(shares) };
}

/** Of an order that nothing bounds, what is reserved for it where no limit refused it: its price now and the slippage. */
export function reservedFor(draft: OrderDraft): string {
  const { notional, qty } = countOf(draft);
  const { reference_price, max_slippage } = draft;
  return (
    notional ??
    new Dec(qty)
      .times(unitsOf(draft.symbol))
      .times(reference_price)
      .times(new Dec(1).plus(max_slippage))
      .toFixed(2, Dec.ROUND_UP)
  );
}

/**
 * What will be counted once these have gone out too. They keep to the orders a minute by being sent one after the other,
 * and what of them is open by then nobody knows.
 */
export function countedAfter(drafts: readonly OrderDraft[], counted: CountedFacts): CountedFacts {
  return {
    ...counted,
    day_notional: new Dec(counted.day_notional).plus(reservedForAll(drafts)).toFixed(2),
    day_orders: counted.day_orders + drafts.length,
  };
}

/** Dollars of several orders. */
export function reservedForAll(drafts: readonly OrderDraft[]): string {
  return Dec.sum(0, ...drafts.map(reservedFor)).toFixed(2);
}

/**
 * What a later order is compared with to tell whether it is the same once more, and so likely a slip: symbol, side and
 * shares, those of an amount in dollars at its reference price. It is written once, whatever becomes of the order.
 */
export function sameTerms(draft: OrderDraft): string {
  return JSON.stringify([draft.symbol, draft.side, countOf(draft).qty]);
}

/** The terms that count as the same as an order's: of its symbol and side, for shares from `least` to `most`. */
export interface SameTerms {
  /** What {@link sameTerms} begin with. */
  readonly prefix: string;
  readonly least: string;
  readonly most: string;
}

/** The terms of no order. */
export const noTerms: SameTerms = { prefix: '-', least: '0', most: '0' };

/**
 * Two orders are the same where the smaller is at least two thirds of the larger. A narrower band would let a second order
 * pass that says dollars where the first said shares, or that a model has rounded.
 */
export function termsLike(draft: OrderDraft): SameTerms {
  const shares = new Dec(countOf(draft).qty);
  return {
    prefix: `${JSON.stringify([draft.symbol, draft.side]).slice(0, -1)},`,
    least: shares.times(2).div(3).toDecimalPlaces(18, Dec.ROUND_DOWN).toFixed(),
    most: shares.times(3).div(2).toFixed(),
  };
}

/** Whether the terms of an earlier order are among these. */
export function isLike(terms: string, { prefix, least, most }: SameTerms): boolean {
  if (!terms.startsWith(prefix)) return false;
  const parts = JSON.parse(terms) as readonly (string | null)[];
  // Before this form there was one of symbol, side, type, shares and dollars.
  const shares = parts.length === 3 ? parts[2] : parts[3];
  return shares != null && new Dec(shares).gte(least) && new Dec(shares).lte(most);
}

function exactNotional(draft: OrderDraft): Dec | undefined {
  const {
    side,
    qty = '0',
    notional,
    limit_price,
    take_profit_limit_price,
    reference_price,
    symbol,
  } = boundedOrder(draft);
  if (notional !== undefined) return new Dec(notional);
  const units = new Dec(qty).times(unitsOf(symbol));
  const assignment = assignmentOf(draft);
  if (assignment !== undefined) return new Dec(assignment.cash);
  // What a purchase's own exits do makes the position smaller, and counts for nothing.
  if (side === 'buy') return limit_price === undefined ? undefined : units.times(limit_price);
  return units.times(Dec.max(reference_price, limit_price ?? take_profit_limit_price ?? 0));
}
