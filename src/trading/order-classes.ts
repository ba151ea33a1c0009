import type { OrderType, Side, TimeInForce } from './order-types.ts';

/** A group of orders that are placed together: an entry with exits, or the exits of a held position. */
interface OrderClassRow {
  readonly name: string;
  readonly shorthand: string;
  /** Whether the group starts with a buy. If not, its exits sell a held position. */
  readonly entry: boolean;
  /** The side in the proposal: the side of the entry or, without an entry, of the exits. */
  readonly side: Side;
  readonly exits: 1 | 2;
}

/** Source: Alpaca, "Placing Orders". Entries always buy and exits always sell, so nothing is sold short. */
const classTable = {
  bracket: {
    name: 'Bracket (entry, take profit, stop loss)',
    shorthand: 'BRACKET',
    entry: true,
    side: 'buy',
    exits: 2,
  },
  oco: {
    name: 'One cancels the other (take profit, stop loss)',
    shorthand: 'OCO',
    entry: false,
    side: 'sell',
    exits: 2,
  },
  oto: {
    name: 'One triggers the other (entry, one exit)',
    shorthand: 'OTO',
    entry: true,
    side: 'buy',
    exits: 1,
  },
} satisfies Readonly<Record<string, OrderClassRow>>;

export type OrderClass = keyof typeof classTable;
export const orderClassWords: Readonly<Record<OrderClass, OrderClassRow>> = classTable;
export const orderClasses = Object.keys(classTable) as [OrderClass, ...OrderClass[]];

export const positionIntents = ['buy_to_open', 'buy_to_close', 'sell_to_open', 'sell_to_close'] as const;
export type PositionIntent = (typeof positionIntents)[number];

export interface CheckedOrder {
  readonly symbol: string;
  readonly side: Side;
  readonly qty?: string | undefined;
  readonly notional?: string | undefined;
  readonly type: OrderType;
  readonly time_in_force: TimeInForce;
  readonly extended_hours: boolean;
  readonly limit_price?: string | undefined;
  readonly stop_price?: string | undefined;
  readonly trail_price?: string | undefined;
  readonly order_class?: OrderClass | undefined;
  readonly take_profit_limit_price?: string | undefined;
  readonly stop_loss_stop_price?: string | undefined;
  readonly stop_loss_limit_price?: string | undefined;
  readonly position_intent?: PositionIntent | undefined;
  readonly reference_price?: string | undefined;
  readonly max_slippage?: string | undefined;
}
