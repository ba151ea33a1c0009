import { sharePrice } from './amounts.ts';
import type { OrderType } from './order-types.ts';

/** What of an order, proposed or at the broker, says at which price it trades. */
export interface OrderPrices {
  readonly limit_price?: string | null | undefined;
  readonly stop_price?: string | null | undefined;
  readonly trail_price?: string | null | undefined;
  readonly trail_percent?: string | null | undefined;
}

/** How each type of order is called on the phone, and how the terminal says its prices. */
export const orderTypeWords: Readonly<
  Record<OrderType, { readonly name: string; terms(prices: OrderPrices): string }>
> = {
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
};
