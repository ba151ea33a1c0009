import type { OrderRecord } from '../../../store/sandbox/records.ts';
import { Dec, toPlain } from '../../../trading/decimal.ts';
import { isTradingAt } from '../../instruments/whole-market.ts';
import type { Market } from '../../market/market.ts';
import { hashText, uniformHash } from '../../market/price-path.ts';
import { unprocessableError } from '../books/broker-error.ts';
import { type MatchResult, matchOrder } from './matching.ts';

export interface TradingContext {
  market: Market;
  book(order: OrderRecord, fill: { qty: string; price: string }): boolean;
  at: number;
}

/**
 * Advances an open order to the current time (expiry, auctions, triggers) and records its fills. Call inside a
 * transaction. Returns the order to store, or the same object if it is unchanged.
 */
export function advanceOrder(order: OrderRecord, context: TradingContext): OrderRecord {
  const { market, at } = context;
  if (order.auction_at !== null) return fillInAuction(order, order.auction_at, context);
  if (order.expires_at !== null && at >= order.expires_at) {
    return { ...order, status: 'expired', expired_at: order.expires_at };
  }
  if (order.dormant === 1 || order.order_class === 'mleg') return order;
  const immediate = order.time_in_force === 'ioc' || order.time_in_force === 'fok';
  const tradesNow = isTradingAt(market, order.symbol, at, order.extended_hours === 1);
  if (!tradesNow) return immediate ? toCanceledOrder(order, at) : order;
  if (order.pause_until !== null && at < order.pause_until) return order;

  const { fillPrice, ...followed } = judgedAt(order, market, at);
  const next: OrderRecord = { ...order, ...followed, status: statusAfter(order, followed) };
  if (fillPrice !== undefined) return fill(next, fillPrice, context);
  if (immediate) return toCanceledOrder(next, at);
  const fields = ['hwm', 'stop_price', 'triggered', 'status'] as const;
  return fields.every((field) => next[field] === order[field]) ? order : next;
}

function fillInAuction(order: OrderRecord, auctionAt: number, context: TradingContext): OrderRecord {
  if (context.at < auctionAt) return order;
  const { fillPrice } = judgedAt(order, context.market, auctionAt);
  return fillPrice === undefined ? toCanceledOrder(order, context.at) : fill(order, fillPrice, context);
}

function statusAfter({ status }: OrderRecord, { triggered }: Pick<MatchResult, 'triggered'>) {
  return status === 'accepted' || (status === 'held' && triggered !== 0) ? 'new' : status;
}

export function toCanceledOrder(order: OrderRecord, at: number): OrderRecord {
  return { ...order, status: 'canceled', canceled_at: at };
}

function judgedAt(order: OrderRecord, market: Market, at: number): MatchResult {
  const quote = market.quote(order.symbol, at);
  if (quote === undefined) throw unprocessableError(`asset "${order.symbol}" not found`);
  return matchOrder(order, quote);
}

function fill(order: OrderRecord, price: string, { market, book, at }: TradingContext): OrderRecord {
  const remaining =
    order.qty === null
      ? new Dec(order.notional ?? 0).div(price).toDecimalPlaces(9, Dec.ROUND_DOWN)
      : new Dec(order.qty).minus(order.filled_qty);
  const inParts = order.first_part !== null && new Dec(order.filled_qty).isZero() && remaining.gt(order.first_part);
  const qty = inParts ? new Dec(order.first_part ?? 0) : remaining;
  const booked = qty.gt(0) && book(order, { qty: toPlain(qty), price });
  if (!booked) {
    return new Dec(order.filled_qty).isZero()
      ? { ...order, status: 'rejected', failed_at: at }
      : toCanceledOrder(order, at);
  }
  const partly = {
    ...order,
    filled_qty: toPlain(new Dec(order.filled_qty).plus(qty)),
    filled_value: toPlain(new Dec(order.filled_value).plus(qty.times(price))),
  };
  return inParts
    ? { ...partly, status: 'partially_filled', pause_until: at + pauseBetweenParts(order, market.seed) }
    : { ...partly, status: 'filled', filled_at: at, pause_until: null };
}

const PARTIAL_SHARE = 0.1;
const PARTIAL_PAUSE = { least: 500, most: 2000 };

export function firstFillQuantity(
  order: Pick<OrderRecord, 'client_order_id' | 'qty' | 'time_in_force'>,
  seed: string,
): string | null {
  if (order.time_in_force !== 'day' && order.time_in_force !== 'gtc') return null;
  const whole = new Dec(order.qty ?? 0);
  if (!whole.isInteger() || whole.lt(2) || chance(order, seed, 0) >= PARTIAL_SHARE) return null;
  const part = new Dec(chance(order, seed, 1)).times(whole.minus(1)).floor();
  return toPlain(Dec.max(1, part));
}

function pauseBetweenParts(order: Pick<OrderRecord, 'client_order_id'>, seed: string): number {
  const { least, most } = PARTIAL_PAUSE;
  return least + Math.floor(chance(order, seed, 2) * (most - least));
}

/** Returns a pseudorandom number in [0, 1) that is the same for an order on every run. */
function chance(order: Pick<OrderRecord, 'client_order_id'>, seed: string, salt: number): number {
  return uniformHash(hashText(seed), hashText(order.client_order_id), salt);
}
