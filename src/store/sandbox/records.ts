import type { IsoDate } from '../../trading/new-york-time.ts';
import type { OrderType, Side, TimeInForce } from '../../trading/order.ts';
import type { Order as OrderView } from '../../trading/views.ts';

/** A row of `broker_accounts`. In all rows, amounts are decimal strings, and times are milliseconds since the epoch. */
export interface AccountRecord {
  id: string;
  number: string;
  username: string;
  created_at: number;
  /** Dollars and cents. Negative if owed. */
  cash: string;
}

export interface PositionRecord {
  account_id: string;
  symbol: string;
  /** Shares. Negative if sold short, never zero. */
  qty: string;
  /** Dollars paid for them. Negative for the proceeds of a short sale. */
  cost: string;
}

export interface FillRecord {
  account_id: string;
  /** Null for the positions an account starts with. */
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

/** A change of an account's cash or shares without a trade. */
export interface EntryRecord {
  account_id: string;
  /** Alpaca's ActivityType (`CSD`, `DIV`, `SPLIT`), and its ActivitySubType (`FSPLIT`). */
  type: string;
  sub_type: string | null;
  /** The day it happened, in New York. */
  date: IsoDate;
  /** Booking time, from which the new cash and shares apply. Alpaca's `created_at`. */
  at: number;
  symbol: string | null;
  /** Shares added. Negative if removed. */
  qty: string | null;
  /** Signed cost of the shares, in dollars. Null for removed shares, whose cost is their part of the position's. */
  cost: string | null;
  /** Dollars and cents added. Negative if removed. */
  amount: string | null;
  /** For a dividend: the entitled shares, and dollars per share. */
  entitled: string | null;
  per_share: string | null;
  /** Shared by entries that were booked together. */
  group_id: string | null;
}

export type OrderStatus = OrderView['status'];

/** Class of an order group; `''` is a simple order. */
export type OrderClass = '' | 'bracket' | 'oco' | 'oto' | 'mleg';
/** Effect of an order on a position. */
export type PositionIntent = 'buy_to_open' | 'buy_to_close' | 'sell_to_open' | 'sell_to_close';
/** Kind of a closing leg in an order group. Null for an entry or a simple order. */
export type LegKind = 'take_profit' | 'stop_loss';

export interface OrderRecord {
  /** Order of arrival. */
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
  /** Sum of qty × price of the fills, exact. */
  filled_value: string;
  /** Best price seen since a trailing stop was placed. */
  hwm: string | null;
  /** Whether a stop has been reached. */
  triggered: 0 | 1;
  /** Dollars per share reserved while the order is open, if it opens a position or buys one back. */
  reserve_price: string | null;
  /** Shares of the first fill, if the order fills in two parts. */
  first_part: string | null;
  /** No fill happens before this time. */
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
  /** For a leg: its parent order. */
  parent_id: string | null;
  exit: LegKind | null;
  /** Whether a leg waits for its entry to fill. */
  dormant: 0 | 1;
  position_intent: PositionIntent;
  /** For a leg of a multi-leg order: contracts per unit of the parent order, which has no symbol. */
  ratio_qty: string | null;
}

/** Statuses in which an order can still fill. A `held` order is not in the market and reserves nothing. */
export const OPEN_STATUSES: readonly OrderStatus[] = ['new', 'accepted', 'partially_filled', 'held'];

export const isOpenOrder = (order: OrderRecord): boolean => OPEN_STATUSES.includes(order.status);
