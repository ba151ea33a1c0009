import { sharePrice } from './amounts.ts';

/** What of an order, proposed or at the broker, says at which price it trades. */
export interface OrderPrices {
  readonly limit_price?: string | null | undefined;
  readonly stop_price?: string | null | undefined;
  readonly trail_price?: string | null | undefined;
  readonly trail_percent?: string | null | undefined;
  readonly take_profit_limit_price?: string | undefined;
  readonly stop_loss_stop_price?: string | undefined;
  readonly stop_loss_limit_price?: string | undefined;
}

/** How a type of order is called on the phone, and how the terminal says its prices. */
interface OrderTypeWords {
  readonly name: string;
  terms(prices: OrderPrices): string;
}

const words = {
  market: { name: 'Market', terms: () => 'market' },
  limit: { name: 'Limit', terms: ({ limit_price }) => `limit ${sharePrice(limit_price ?? '0')}` },
  stop: { name: 'Stop', terms: ({ stop_price }) => `stop ${sharePrice(stop_price ?? '0')}` },
  stop_limit: {
    name: 'Stop limit',
    terms: ({ stop_price, limit_price }) =>
      `stop ${sharePrice(stop_price ?? '0')} limit ${sharePrice(limit_price ?? '0')}`,
  },
  trailing_stop: {
    name: 'Trailing stop',
    terms: ({ trail_price, trail_percent }) =>
      `trailing stop ${trail_price != null ? sharePrice(trail_price) : `${trail_percent}%`}`,
  },
} satisfies Readonly<Record<string, OrderTypeWords>>;

/** What an order waits for before it trades. */
export type OrderType = keyof typeof words;
export const orderTypeWords: Readonly<Record<OrderType, OrderTypeWords>> = words;
export const orderTypes = Object.keys(words) as [OrderType, ...OrderType[]];

export const sides = ['buy', 'sell'] as const;
export type Side = (typeof sides)[number];

/** How long an order stands. */
export const timesInForce = ['day', 'gtc', 'opg', 'cls', 'ioc', 'fok'] as const;
export type TimeInForce = (typeof timesInForce)[number];
