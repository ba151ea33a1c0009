import { formatSharePrice } from './amounts.ts';
import type { Dec } from './decimal.ts';

export interface OrderPrices {
  readonly limit_price?: string | null | undefined;
  readonly stop_price?: string | null | undefined;
  readonly trail_price?: string | null | undefined;
  readonly trail_percent?: string | null | undefined;
  readonly take_profit_limit_price?: string | undefined;
  readonly stop_loss_stop_price?: string | undefined;
  readonly stop_loss_limit_price?: string | undefined;
}

export const sides = ['buy', 'sell'] as const;
export type Side = (typeof sides)[number];

/** A price that an order type requires. `trail` means exactly one of `trail_price` and `trail_percent`. */
export type RequiredPrice = 'limit_price' | 'stop_price' | 'trail';

interface OrderTypeRow {
  readonly words: { readonly name: string; terms(prices: OrderPrices): string };
  readonly prices: readonly RequiredPrice[];
  /**
   * The bound on fill prices at the broker: the order's own limit, or a band of `max_slippage` around one of its
   * prices. The band's worst price is sent as a limit. Null if fill prices are unbounded.
   */
  readonly bound: 'own limit' | { readonly around: 'reference_price' | 'stop_price' } | null;
  /** The type that is sent to the broker, if it differs from this type. */
  readonly sentAs?: 'limit' | 'stop_limit' | 'stop';
  /** The only side that the type is accepted for, if it is not accepted for both. */
  readonly side?: Side;
  /** Returns whether a trade at `last` triggers the stop. Null for types without a stop. */
  readonly matches: ((side: Side, last: Dec, stop: string) => boolean) | null;
}

const reachesStop = (side: Side, last: Dec, stop: string) => (side === 'buy' ? last.gte(stop) : last.lte(stop));

/** One row per order type. See docs/adding/order-type.md for how to add an order type. */
const table = {
  market: {
    words: { name: 'Market', terms: () => 'market' },
    prices: [],
    bound: { around: 'reference_price' },
    sentAs: 'limit',
    matches: null,
  },
  limit: {
    words: { name: 'Limit', terms: ({ limit_price }) => `limit ${formatSharePrice(limit_price ?? '0')}` },
    prices: ['limit_price'],
    bound: 'own limit',
    matches: null,
  },
  stop: {
    words: { name: 'Stop', terms: ({ stop_price }) => `stop ${formatSharePrice(stop_price ?? '0')}` },
    prices: ['stop_price'],
    bound: { around: 'stop_price' },
    sentAs: 'stop_limit',
    matches: reachesStop,
  },
  stop_market: {
    words: {
      name: 'Market stop',
      terms: ({ stop_price }) => `stop ${formatSharePrice(stop_price ?? '0')} at market`,
    },
    prices: ['stop_price'],
    // Sells even if the price jumps past the stop. A purchase without a bound could cost any amount.
    bound: null,
    side: 'sell',
    sentAs: 'stop',
    matches: reachesStop,
  },
  stop_limit: {
    words: {
      name: 'Stop limit',
      terms: ({ stop_price, limit_price }) =>
        `stop ${formatSharePrice(stop_price ?? '0')} limit ${formatSharePrice(limit_price ?? '0')}`,
    },
    prices: ['limit_price', 'stop_price'],
    bound: 'own limit',
    matches: reachesStop,
  },
  trailing_stop: {
    words: {
      name: 'Trailing stop',
      terms: ({ trail_price, trail_percent }) =>
        `trailing stop ${trail_price != null ? formatSharePrice(trail_price) : `${trail_percent}%`}`,
    },
    prices: ['trail'],
    // A trailing stop has no price until it triggers.
    bound: null,
    matches: reachesStop,
  },
} satisfies Readonly<Record<string, OrderTypeRow>>;

export type OrderType = keyof typeof table;
export const orderTypeTable: Readonly<Record<OrderType, OrderTypeRow>> = table;
export const orderTypes = Object.keys(table) as [OrderType, ...OrderType[]];

/** Returns the row of an order type. Undefined for a broker's order type that we don't know. */
export function findOrderType(type: string): OrderTypeRow | undefined {
  return Object.hasOwn(table, type) ? orderTypeTable[type as OrderType] : undefined;
}

/** Returns whether an order type requires this price. False for a broker's order type that we don't know. */
export function requiresPrice(type: string, price: RequiredPrice): boolean {
  return findOrderType(type)?.prices.includes(price) === true;
}

/** Returns the type that is sent to the broker for an approved type. */
export function sentOrderType(type: OrderType): OrderType {
  return orderTypeTable[type].sentAs ?? type;
}

/** Returns the price band of an order type. Undefined for types with their own limit or without a bound. */
export function priceBand(type: string) {
  const bound = findOrderType(type)?.bound;
  return typeof bound === 'object' && bound !== null ? bound : undefined;
}

export const timeInForceWords = {
  day: { name: 'Day', terms: 'day (until the close)' },
  gtc: { name: 'Good till canceled', terms: 'gtc (until canceled)' },
  opg: { name: 'At the open', terms: 'opg (in the opening auction)' },
  cls: { name: 'At the close', terms: 'cls (in the closing auction)' },
  ioc: { name: 'Immediate or cancel', terms: 'ioc (immediately, the rest is canceled)' },
  fok: { name: 'Fill or kill', terms: 'fok (all at once, or not at all)' },
} as const;
export type TimeInForce = keyof typeof timeInForceWords;
export const timesInForce = Object.keys(timeInForceWords) as [TimeInForce, ...TimeInForce[]];
