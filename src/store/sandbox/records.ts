import type { IsoDate } from '../../trading/new-york-time.ts';
import type { OrderType, Side, TimeInForce } from '../../trading/order.ts';
import type { Order as OrderView } from '../../trading/views.ts';

/** In this file's records, amounts are decimal strings, and times are milliseconds since the epoch. */
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
  /** Dollars paid for the shares. For a short position, the dollars received, as a negative number. */
  cost: string;
}

export interface FillRecord {
  account_id: string;
  /** The filled order's ID. Null for a position that the account started with. */
  order_id: string | null;
  symbol: string;
  side: Side;
  qty: string;
  /** Dollars per share. */
  price: string;
  /** Amount paid or received, in dollars and cents. */
  amount: string;
  at: number;
}

/** A change in an account's cash or shares that is not a trade. */
export interface LedgerEntryRecord {
  account_id: string;
  /** Alpaca's ActivityType, such as `CSD`, `DIV` or `SPLIT`. `sub_type` is its ActivitySubType, such as `FSPLIT`. */
  type: string;
  sub_type: string | null;
  /** Day of the change, in New York. */
  date: IsoDate;
  /** Time when the entry was booked and took effect. Alpaca's `created_at`. */
  at: number;
  symbol: string | null;
  /** Number of added shares. Negative for removed shares. */
  qty: string | null;
  /** Cost of the added shares, in dollars. Null for removed shares, which reduce the position's cost proportionally. */
  cost: string | null;
  /** Dollars and cents added to the cash. Negative for removed cash. */
  amount: string | null;
  /** For a dividend: the number of shares that it was paid for. `per_share` is in dollars. */
  entitled: string | null;
  per_share: string | null;
  /** Equal for entries that were booked together. */
  group_id: string | null;
}

export type OrderStatus = OrderView['status'];

/** `''` is a simple order. */
export type OrderClass = '' | 'bracket' | 'oco' | 'oto' | 'mleg';
export type PositionIntent = 'buy_to_open' | 'buy_to_close' | 'sell_to_open' | 'sell_to_close';
export type LegKind = 'take_profit' | 'stop_loss';

export interface OrderRecord {
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
  stop_price: string | null;
  trail_price: string | null;
  trail_percent: string | null;
  extended_hours: 0 | 1;
  status: OrderStatus;
  filled_qty: string;
  /** Exact sum of quantity times price over all fills. */
  filled_value: string;
  /** Best price since the trailing stop was placed (Alpaca's `hwm`). */
  hwm: string | null;
  triggered: 0 | 1;
  /** Dollars reserved per share of an open order. Null if the order neither opens a position nor covers a short. */
  reserve_price: string | null;
  /** Number of shares in the first fill. Null if the order is not filled in two parts. */
  first_part: string | null;
  /** Time before which the order is not filled. */
  pause_until: number | null;
  /** Time of the auction in which an `opg` or `cls` order is filled. */
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
  /** 1 if a leg is waiting for its entry order to be filled, else 0. */
  dormant: 0 | 1;
  position_intent: PositionIntent;
  /** For a leg of a multi-leg order: contracts per unit of the parent order, which itself has no symbol. */
  ratio_qty: string | null;
}

/** Statuses of orders that can still be filled. A `held` order has not reached the market yet and reserves nothing. */
export const OPEN_STATUSES: readonly OrderStatus[] = ['new', 'accepted', 'partially_filled', 'held'];

export const isOpenOrder = (order: OrderRecord): boolean => OPEN_STATUSES.includes(order.status);
