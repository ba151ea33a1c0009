import { english, phrase, type Say } from '../../text/phrase.ts';
import { abs, compare, Dec, isPositive, min, ZERO } from '../decimal.ts';
import { MAX_QTY, type OrderRequest } from '../order.ts';
import { orderDefaults } from '../order-defaults.ts';
import type { Drift } from './allocation.ts';

const leftReasonPhrases = {
  order_under_way: phrase`an order for this symbol is already in progress`,
  no_price: phrase`the symbol has no price`,
  buy_only: phrase`the position is overweight, but selling is turned off`,
  below_minimum: phrase`the order would be too small`,
  less_than_a_lot: phrase`one share costs more than the shortfall`,
  nothing_to_sell: phrase`the whole position is already in open sell orders`,
  market_closed: phrase`the order waits for the market to open`,
  awaits_cash: phrase`there is not enough cash until a sale fills`,
} as const;
type SkippedReason = Exclude<keyof typeof leftReasonPhrases, 'market_closed'>;

export function describeSkippedReason(reason: string, say: Say = english): string {
  return Object.hasOwn(leftReasonPhrases, reason) ? leftReasonPhrases[reason as SkippedReason].in(say) : reason;
}

const ONE = new Dec(1);
const MAX_ORDER_QTY = new Dec(MAX_QTY);

export interface TradableSymbol {
  readonly symbol: string;
  readonly bid: Dec;
  readonly ask: Dec;
  readonly qty: Dec;
  readonly available: Dec;
  readonly value: Dec;
  readonly busy: boolean;
}

export interface RebalanceOptions {
  /** Whether to sell nothing and to correct overweight positions only by buying other symbols with new money. */
  readonly buyOnly: boolean;
  readonly minOrder: Dec;
  /** The smallest quantity step: 1, or less for fractional shares. */
  readonly lot: Dec;
  /** Dollars to keep in cash regardless of the targets. */
  readonly cashReserve: Dec;
  readonly orderType: 'limit' | 'market';
  /**
   * Tolerated distance from the quote, as a fraction. Limit prices are set this far beyond the quote, and market orders
   * are assumed to fill this far beyond it.
   */
  readonly slack: Dec;
}

interface SuggestedOrder {
  readonly request: OrderRequest;
  readonly amount: Dec;
  readonly weight: Dec;
  readonly target: Dec;
  /**
   * `drift`: the position is outside its band. `funding`: the position is sold to pay for other positions, which are
   * outside their bands.
   */
  readonly reason: 'drift' | 'funding';
}

export interface RebalancingPlan {
  /** Sells first, then buys. No buy depends on the proceeds of a sell. */
  readonly orders: readonly SuggestedOrder[];
  readonly left: readonly { readonly symbol: string; readonly reason: SkippedReason }[];
}

interface RebalanceCandidate {
  readonly drift: Drift;
  readonly tradable: TradableSymbol;
  readonly gap: Dec;
  readonly size: Dec;
}

/**
 * Returns the fewest orders that bring every drifted symbol back to its target: one order for each symbol outside its
 * band. Other positions are sold only if there is too little cash ("contributions first"), largest surplus first.
 * Quantities are rounded down, so that no order overshoots. Ties are ordered by symbol, so that the result is
 * deterministic.
 * @param drifts the drift of every target
 * @param account `cash` is spendable now, without sale proceeds
 */
export function planRebalancing(
  drifts: readonly Drift[],
  tradables: ReadonlyMap<string, TradableSymbol>,
  account: { readonly equity: Dec; readonly cash: Dec },
  options: RebalanceOptions,
): RebalancingPlan {
  const left: { symbol: string; reason: SkippedReason }[] = [];
  const wishes: RebalanceCandidate[] = [];
  for (const drift of [...drifts].sort(compareBySymbol)) {
    const tradable = tradables.get(drift.symbol);
    const isPriced = hasPrice(tradable);
    if (isPriced && !tradable.busy) {
      const gap = drift.target.mul(account.equity).minus(tradable.value);
      wishes.push({ drift, tradable, gap, size: abs(gap) });
    } else if (drift.outside) {
      left.push({ symbol: drift.symbol, reason: isPriced ? 'order_under_way' : 'no_price' });
    }
  }

  const buys = wishes.filter(({ drift, gap }) => drift.outside && isPositive(gap)).sort(compareByGap);
  const surplus = wishes.filter(({ gap }) => gap.isNegative() && !gap.isZero()).sort(compareByGap);
  const orders: SuggestedOrder[] = [];
  const amountOf = ({ drift: { symbol, outside } }: RebalanceCandidate, made: SuggestedOrder | SkippedReason): Dec => {
    if (typeof made !== 'string') {
      orders.push(made);
      return made.amount;
    }
    if (outside) left.push({ symbol, reason: made });
    return ZERO;
  };
  let proceeds: Dec = ZERO;
  for (const wish of surplus.filter(({ drift }) => drift.outside))
    proceeds = proceeds.plus(amountOf(wish, suggestSell(wish, 'drift', options)));

  const spendable = Dec.max(0, account.cash.minus(options.cashReserve));
  const wanted = buys.reduce((sum, { gap }) => sum.plus(gap), ZERO);
  // Sells positions inside their bands only if cash and the sales above don't suffice.
  for (const wish of surplus.filter(({ drift }) => !drift.outside)) {
    const short = wanted.minus(spendable).minus(proceeds);
    if (short.lt(options.minOrder) || short.lte(0)) break;
    proceeds = proceeds.plus(amountOf(wish, suggestSell(wish, 'funding', options, short)));
  }

  let cash = spendable;
  for (const wish of buys) cash = cash.minus(amountOf(wish, suggestBuy(wish, cash, options)));
  return { orders, left };
}

function hasPrice(tradable: TradableSymbol | undefined): tradable is TradableSymbol {
  return tradable !== undefined && isPositive(tradable.ask) && isPositive(tradable.bid);
}

const compareBySymbol = (a: Drift, b: Drift) => (a.symbol < b.symbol ? -1 : 1);

function compareByGap(a: RebalanceCandidate, b: RebalanceCandidate): number {
  return compare(b.size, a.size) || compareBySymbol(a.drift, b.drift);
}

/**
 * Returns the quantity, in whole lots, that an amount can buy. Uses integer division, because a rounded quotient could
 * round up.
 */
function wholeLots(amount: Dec, each: Dec, lot: Dec): Dec {
  return compare(lot, ONE) === 0 ? amount.divToInt(each) : amount.divToInt(each.mul(lot)).mul(lot);
}

/**
 * Like {@link wholeLots}, at the higher of the price and the held position's value per share. Compares without
 * computing the value per share, which would need a division.
 */
function wholeLotsAtMark(amount: Dec, price: Dec, { qty, value }: TradableSymbol, lot: Dec): Dec {
  const isMore = isPositive(qty) && compare(value, price.mul(qty)) > 0;
  return isMore ? wholeLots(amount.mul(qty), value, lot) : wholeLots(amount, price, lot);
}

function suggestSell(
  { drift, tradable, size }: RebalanceCandidate,
  reason: SuggestedOrder['reason'],
  options: RebalanceOptions,
  most: Dec = size,
): SuggestedOrder | SkippedReason {
  if (options.buyOnly) return 'buy_only';
  const { bid, available } = tradable;
  const worst = tickUp(bid.mul(ONE.minus(options.slack)));
  if (!isPositive(available)) return 'nothing_to_sell';
  const surplus = wholeLotsAtMark(size, bid, tradable, options.lot);
  // The smallest quantity that raises the amount even at the worst price.
  const enough = reason === 'funding' ? most.div(worst).div(options.lot).ceil().mul(options.lot) : surplus;
  const wanted = min(surplus, enough);
  const qty = compare(wanted, available) > 0 ? wholeLots(available, ONE, options.lot) : wanted;
  return suggestOrder('sell', qty, worst, { drift, reason }, options);
}

function suggestBuy(
  { drift, tradable, gap }: RebalanceCandidate,
  cash: Dec,
  options: RebalanceOptions,
): SuggestedOrder | SkippedReason {
  const worst = tickDown(tradable.ask.mul(ONE.plus(options.slack)));
  const wanted = wholeLotsAtMark(gap, tradable.ask, tradable, options.lot);
  const qty = compare(wanted.mul(worst), cash) > 0 ? wholeLots(cash, worst, options.lot) : wanted;
  if (!isPositive(qty) && isPositive(wanted)) return 'awaits_cash';
  const made = suggestOrder('buy', qty, worst, { drift, reason: 'drift' }, options);
  return made === 'below_minimum' && compare(qty, wanted) < 0 ? 'awaits_cash' : made;
}

function suggestOrder(
  side: 'buy' | 'sell',
  qty: Dec,
  worst: Dec,
  { drift, reason }: { drift: Drift; reason: SuggestedOrder['reason'] },
  options: RebalanceOptions,
): SuggestedOrder | SkippedReason {
  if (!isPositive(qty)) return 'less_than_a_lot';
  // Shares above the maximum order size are left for the next check.
  const size = min(qty, MAX_ORDER_QTY);
  const amount = size.mul(worst);
  if (compare(amount, options.minOrder) < 0) return 'below_minimum';
  return {
    request: {
      symbol: drift.symbol,
      side,
      qty: size.toFixed(),
      type: options.orderType,
      time_in_force: orderDefaults(drift.symbol).time_in_force,
      ...(options.orderType === 'limit' ? { limit_price: worst.toFixed(decimals(worst)) } : {}),
      extended_hours: false,
    },
    amount,
    weight: drift.weight,
    target: drift.target,
    reason,
  };
}

const decimals = (value: Dec) => (compare(value, ONE) >= 0 ? 2 : 4);

function tickDown(value: Dec): Dec {
  return value.toDecimalPlaces(decimals(value), Dec.ROUND_DOWN);
}

function tickUp(value: Dec): Dec {
  return value.toDecimalPlaces(decimals(value), Dec.ROUND_UP);
}
