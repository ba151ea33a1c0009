import type { IsoDate } from '../../trading/new-york-time.ts';
import type { OrderType, Side, TimeInForce } from '../../trading/order.ts';
import type { Order as OrderView } from '../../trading/views.ts';

/**
 * A row of `broker_accounts`. In all records, amounts are decimal strings, and times are milliseconds since the epoch.
 */
export interface AccountRecord {
  id: string;
  number: string;
  username: string;
  created_at: number;
  /** Dollars and cents. Negative if the account owes money. */
  cash: string;
}

export interface PositionRecord {
  account_id: string;
  symbol: string;
  /** Number of shares. Negative for a short position, never zero. */
  qty: string;
  /** Dollars paid for the shares. For a short position, the negative proceeds. */
  cost: string;
}

export interface FillRecord {
  account_id: string;
  /** Null for positions that an account starts with. */
  order_id: string | null;
  symbol: string;
  side: Side;
  qty: string;
  /** Dollars per share. */
  price: string;
  /** Dollars and cents that changed hands. */
  amount: string;
  at: number;
}

/** A change of an account's cash or shares that is not a trade. */
export interface EntryRecord {
  account_id: string;
  /** Alpaca's ActivityType (`CSD`, `DIV`, `SPLIT`), and its ActivitySubType (`FSPLIT`). */
  type: string;
  sub_type: string | null;
  /** Day of the change, in New York. */
  date: IsoDate;
  /** Booking time, when the change takes effect. Alpaca's `created_at`. */
  at: number;
  symbol: string | null;
  /** Number of added shares. Negative if shares were removed. */
  qty: string | null;
  /**
   * Signed cost of the shares, in dollars. Null for removed shares, which take a proportional part of the position's
   * cost with them.
   */
  cost: string | null;
  /** Dollars and cents added to the cash. Negative if removed. */
  amount: string | null;
  /** For a dividend: the number of entitled shares, and dollars per share. */
  entitled: string | null;
  per_share: string | null;
  /** Identifies entries that were booked together. */
  group_id: string | null;
}

export type OrderStatus = OrderView['status'];

/** Order class of a group of orders. `''` is a simple order. */
export type OrderClass = '' | 'bracket' | 'oco' | 'oto' | 'mleg';
export type PositionIntent = 'buy_to_open' | 'buy_to_close' | 'sell_to_open' | 'sell_to_close';
/** Which exit of an order group a leg is. Null for the entry order and for simple orders. */
export type LegKind = 'take_profit' | 'stop_loss';

export interface OrderRecord {
  /** Order of arrival, as a number. */
  seq: number;
  id: string;
  account_id: string;
  client_order_id: string;
  symbol: string;
  side: Side;
  type: OrderType;
  time_in_force: TimeInForce;
  qty: string | null;
  notional: string | null;
  limit_price: string | null;
  /** For a trailing stop: the current stop price. */
  stop_price: string | null;
  trail_price: string | null;
  trail_percent: string | null;
  extended_hours: 0 | 1;
  status: OrderStatus;
  filled_qty: string;
  /** Exact sum of quantity × price of all fills. */
  filled_value: string;
  /** Best price since a trailing stop was placed. */
  hwm: string | null;
  /** Whether the stop price was reached. */
  triggered: 0 | 1;
  /**
   * Dollars per share that are reserved while the order is open. Null if the order does not open or buy back a
   * position.
   */
  reserve_price: string | null;
  /** Number of shares in the first fill, if the order is filled in two parts. */
  first_part: string | null;
  /** Time before which the order is not filled. */
  pause_until: number | null;
  /** Auction time of an opg or cls order. */
  auction_at: number | null;
  created_at: number;
  updated_at: number;
  expires_at: number | null;
  filled_at: number | null;
  expired_at: number | null;
  canceled_at: number | null;
  failed_at: number | null;
  replaced_at: number | null;
  replaced_by: string | null;
  replaces: string | null;
  order_class: OrderClass;
  parent_id: string | null;
  exit: LegKind | null;
  /** Whether a leg is waiting for the entry order to be filled. */
  dormant: 0 | 1;
  position_intent: PositionIntent;
  /** For a leg of a multi-leg order: contracts per unit of the parent order. The parent order has no symbol. */
  ratio_qty: string | null;
}

/** Statuses of orders that can still be filled. A `held` order is not yet in the market and reserves nothing. */
export const OPEN_STATUSES: readonly OrderStatus[] = ['new', 'accepted', 'partially_filled', 'held'];

export const isOpenOrder = (order: OrderRecord): boolean => OPEN_STATUSES.includes(order.status);
