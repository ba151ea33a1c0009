import { unitsOf } from './asset-class.ts';
import { Dec, plain } from './decimal.ts';
import type { CountedTerms } from './mandate/mandate.ts';
import { assignmentOf, type Covering } from './option-cover.ts';
import type { OrderDraft } from './order.ts';
import type { TradingState } from './policy-views.ts';
import { boundedOrder } from './worst-case.ts';

/**
 * What the gateway's journal has counted of the account (`state` aside), read in the transaction that claims the
 * order. Includes everything that may have gone out, but neither refusals, the order itself nor the one it replaces.
 */
export interface CountedFacts {
  readonly state: TradingState;
  /** Dollars of all orders, purchases and sales, since the day began in New York. */
  readonly day_notional: string;
  readonly day_orders: number;
  readonly last_minute: number;
  /** Orders that went out, or may have, and are not known to be over. */
  readonly open_orders: number;
  readonly open_symbol_notional: string;
  readonly open_symbol_sells: string;
  /** Seconds since an order of about the same terms (`termsLike`); null where there is none today. */
  readonly same_before: number | null;
  readonly opposes_open: boolean;
  /**
   * Seconds by which the newest order is ahead of the clock, if more than a day: then no day's count can be trusted.
   */
  readonly clock_behind?: number;
  /** Of an order for an option: what is out of what would stand behind it; absent for any other. */
  readonly covering?: Covering;
  /** The mandate that the order names; null where its owner has none such, absent where it names none. */
  readonly mandate?: CountedTerms | null;
}

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

/**
 * A purchase counts at the most it can cost; a sale at the reference price or its own limit, whichever is higher, so
 * that a low limit does not make a large sale look small. A sold-to-open option counts at its strike. @returns dollars,
 * rounded up to the cent, or null where nothing bounds them; shares, of an order for an amount as many as that is at the
 * reference price, rounded up
 */
export function countOf(draft: OrderDraft) {
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

/** The counts once these orders have gone out. Orders a minute and open orders are not predicted. */
export function countedAfter(drafts: readonly OrderDraft[], counted: CountedFacts): CountedFacts {
  return {
    ...counted,
    day_notional: new Dec(counted.day_notional).plus(reservedForAll(drafts)).toFixed(2),
    day_orders: counted.day_orders + drafts.length,
  };
}

export function reservedForAll(drafts: readonly OrderDraft[]): string {
  return Dec.sum(0, ...drafts.map(reservedFor)).toFixed(2);
}

/**
 * Compared with later orders to detect an accidental repeat: symbol, side and shares (of a dollar amount, at its
 * reference price).
 */
export function sameTerms(draft: OrderDraft): string {
  return JSON.stringify([draft.symbol, draft.side, countOf(draft).qty]);
}

export interface SameTerms {
  readonly prefix: string;
  readonly least: string;
  readonly most: string;
}

export const noTerms: SameTerms = { prefix: '-', least: '0', most: '0' };

/**
 * Two orders are alike if the smaller is at least two thirds of the larger. A narrower band would miss a repeat in
 * dollars of an order in shares, or one that a model rounded.
 */
export function termsLike(draft: OrderDraft): SameTerms {
  const shares = new Dec(countOf(draft).qty);
  return {
    prefix: `${JSON.stringify([draft.symbol, draft.side]).slice(0, -1)},`,
    least: shares.times(2).div(3).toDecimalPlaces(18, Dec.ROUND_DOWN).toFixed(),
    most: shares.times(3).div(2).toFixed(),
  };
}

export function isLike(terms: string, { prefix, least, most }: SameTerms): boolean {
  if (!terms.startsWith(prefix)) return false;
  const [, , shares] = JSON.parse(terms) as readonly [symbol: string, side: string, qty: string];
  return new Dec(shares).gte(least) && new Dec(shares).lte(most);
}

function exactNotional(draft: OrderDraft): Dec | undefined {
  const { side, qty = '0', notional, limit_price, reference_price, symbol, ...rest } = boundedOrder(draft);
  if (notional !== undefined) return new Dec(notional);
  const units = new Dec(qty).times(unitsOf(symbol));
  const assignment = assignmentOf(draft);
  if (assignment !== undefined) return new Dec(assignment.cash);
  // What a purchase's own exits do makes the position smaller, and counts for nothing.
  if (side === 'buy') return limit_price === undefined ? undefined : units.times(limit_price);
  return units.times(Dec.max(reference_price, limit_price ?? rest.take_profit_limit_price ?? 0));
}
