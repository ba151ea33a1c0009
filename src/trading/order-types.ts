import { sharePrice } from './amounts.ts';
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

/** A price that an order of a type has; `trail` is exactly one of `trail_price` and `trail_percent`. */
export type PriceOfType = 'limit_price' | 'stop_price' | 'trail';

interface OrderTypeRow {
  readonly words: { readonly name: string; terms(prices: OrderPrices): string };
  readonly prices: readonly PriceOfType[];
  /**
   * What bounds its fills at the broker: its own limit, or a band of `max_slippage` around one of its prices, sent
   * as another type that has a limit. Null if nothing does; the worst case says so.
   */
  readonly bound:
    | 'own limit'
    | { readonly around: 'reference_price' | 'stop_price'; readonly goesOutAs: 'limit' | 'stop_limit' }
    | null;
  /** Whether a trade at `last` triggers an order that waits for its stop price. Null if it waits for nothing. */
  readonly matches: ((side: Side, last: Dec, stop: string) => boolean) | null;
}

const reachesStop = (side: Side, last: Dec, stop: string) =>
  side === 'buy' ? last.gte(stop) : last.lte(stop);

/** The order types, one row each. docs/adding/order-type.md says what else a new one needs. */
const table = {
  market: {
    words: { name: 'Market', terms: () => 'market' },
    prices: [],
    bound: { around: 'reference_price', goesOutAs: 'limit' },
    matches: null,
  },
  limit: {
    words: { name: 'Limit', terms: ({ limit_price }) => `limit ${sharePrice(limit_price ?? '0')}` },
    prices: ['limit_price'],
    bound: 'own limit',
    matches: null,
  },
  stop: {
    words: { name: 'Stop', terms: ({ stop_price }) => `stop ${sharePrice(stop_price ?? '0')}` },
    prices: ['stop_price'],
    bound: { around: 'stop_price', goesOutAs: 'stop_limit' },
    matches: reachesStop,
  },
  stop_limit: {
    words: {
      name: 'Stop limit',
      terms: ({ stop_price, limit_price }) =>
        `stop ${sharePrice(stop_price ?? '0')} limit ${sharePrice(limit_price ?? '0')}`,
    },
    prices: ['limit_price', 'stop_price'],
    bound: 'own limit',
    matches: reachesStop,
  },
  trailing_stop: {
    words: {
      name: 'Trailing stop',
      terms: ({ trail_price, trail_percent }) =>
        `trailing stop ${trail_price != null ? sharePrice(trail_price) : `${trail_percent}%`}`,
    },
    prices: ['trail'],
    // It has no price until the trail is reached.
    bound: null,
    matches: reachesStop,
  },
} satisfies Readonly<Record<string, OrderTypeRow>>;

export type OrderType = keyof typeof table;
export const orderTypeTable: Readonly<Record<OrderType, OrderTypeRow>> = table;
export const orderTypes = Object.keys(table) as [OrderType, ...OrderType[]];

/** The row of a type. Undefined for a broker's own word that is none of ours. */
export function orderTypeRow(type: string): OrderTypeRow | undefined {
  return Object.hasOwn(table, type) ? orderTypeTable[type as OrderType] : undefined;
}

/** Whether orders of a type, which may be a broker's own word, have this price. */
export function hasPrice(type: string, price: PriceOfType): boolean {
  return orderTypeRow(type)?.prices.includes(price) === true;
}

/** The band that bounds orders of a type; undefined of a type with a limit of its own, or with no bound. */
export function bandOf(type: string) {
  const bound = orderTypeRow(type)?.bound;
  return typeof bound === 'object' && bound !== null ? bound : undefined;
}

export const timeInForceWords = {
  day: { name: 'Day', terms: 'day (until the close)' },
  gtc: { name: 'Good till cancelled', terms: 'gtc (until cancelled)' },
  opg: { name: 'At the open', terms: 'opg (at the opening auction)' },
  cls: { name: 'At the close', terms: 'cls (at the closing auction)' },
  ioc: { name: 'Immediate or cancel', terms: 'ioc (at once, the rest is cancelled)' },
  fok: { name: 'Fill or kill', terms: 'fok (at once and whole, or not at all)' },
} as const;
export type TimeInForce = keyof typeof timeInForceWords;
export const timesInForce = Object.keys(timeInForceWords) as [TimeInForce, ...TimeInForce[]];
