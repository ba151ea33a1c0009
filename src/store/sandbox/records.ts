import type { IsoDate } from '../../trading/new-york-time.ts';
import type { OrderType, Side, TimeInForce } from '../../trading/order.ts';
import type { Order as OrderView } from '../../trading/views.ts';

/** Rows as they lie in the database. Amounts are decimal strings, times milliseconds since the epoch. */
export interface AccountRecord {
  id: string;
  number: string;
  username: string;
  created_at: number;
  /** Dollars and cents; less than nothing is owed. */
  cash: string;
}

export interface PositionRecord {
  account_id: string;
  symbol: string;
  /** Shares; less than nothing where they are sold short, never zero. */
  qty: string;
  /** Dollars paid for them; less than nothing: what a short sale brought. */
  cost: string;
}

export interface FillRecord {
  account_id: string;
  /** Null for the positions an account starts with. */
  order_id: string | null;
  symbol: string;
  side: Side;
  qty: string;
  /** Dollars a share. */
  price: string;
  /** Dollars and cents that changed hands. */
  amount: string;
  at: number;
}

/** What changed an account without a trade: money, shares, or both. */
export interface EntryRecord {
  account_id: string;
  /** Alpaca's ActivityType (`CSD`, `DIV`, `SPLIT`), and its ActivitySubType (`FSPLIT`). */
  type: string;
  sub_type: string | null;
  /** The day it happened, in New York. */
  date: IsoDate;
  /** When it was booked: cash and shares are others from then on. Alpaca's `created_at`. */
  at: number;
  symbol: string | null;
  /** Shares that came; less than nothing went. */
  qty: string | null;
  /** Dollars that these had cost, with their sign. Null for shares that went: their part of the position's. */
  cost: string | null;
  /** Dollars and cents that came; less than nothing went. */
  amount: string | null;
  /** Of a dividend: the shares it is paid on, and dollars a share. */
  entitled: string | null;
  per_share: string | null;
  /** What was booked together has one name. */
  group_id: string | null;
}

export type OrderStatus = OrderView['status'];

/** How orders hang together; `''` is one that stands alone. */
export type OrderClass = '' | 'bracket' | 'oco' | 'oto' | 'mleg';
/** What an order does to a position. */
export type PositionIntent = 'buy_to_open' | 'buy_to_close' | 'sell_to_open' | 'sell_to_close';
/** Which way out of a position an order of a group is; null for what opens it, or stands alone. */
export type Exit = 'take_profit' | 'stop_loss';

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
  /** Of a trailing stop: where it stands now. */
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
  /** Dollars a share set aside for what opens a position, or buys one back, while it is open. */
  reserve_price: string | null;
  /** Shares of the first part, where the order is to fill in two. */
  first_part: string | null;
  /** Nothing more fills before this. */
  pause_until: number | null;
  /** When an opg or cls order has its auction. */
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
  /** Of a leg: the order it came with. */
  parent_id: string | null;
  exit: Exit | null;
  /** A leg that waits for its entry to fill. */
  dormant: 0 | 1;
  position_intent: PositionIntent;
  /** Of a leg of a multi-leg order, whose own order has neither symbol nor quantity: how many contracts to one of it. */
  ratio_qty: string | null;
}

/** Statuses in which an order can still fill. One that is `held` is not in the market, and sets nothing aside. */
export const OPEN_STATUSES: readonly OrderStatus[] = ['new', 'accepted', 'partially_filled', 'held'];

export const isOpenOrder = (order: OrderRecord): boolean => OPEN_STATUSES.includes(order.status);
