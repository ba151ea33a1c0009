import { z } from 'zod';
import { assetClasses } from './asset-class.ts';
import { decimalString } from './decimal.ts';
import { environments } from './order.ts';
import { orderClasses, positionIntents } from './order-classes.ts';
import { orderTypes, sides, timesInForce } from './order-types.ts';

/**
 * What the gateway answers, and everything above it reads. Amounts are decimal strings: dollars, dollars a share, or
 * shares; `*_plpc` and `change_today` are fractions. Times are RFC 3339.
 */
export const accountSchema = z.lazy(() =>
  z.object({
    account: z.string(),
    environment: z.enum(environments),
    status: z.string(),
    currency: z.string(),
    cash: decimalString,
    equity: decimalString,
    /** Equity at the previous market close; null where neither the broker nor its prices tell. */
    last_equity: decimalString.nullable(),
    /** The day of that close, where the broker tells. */
    last_equity_on: z.iso.date().optional(),
    buying_power: decimalString,
    long_market_value: decimalString,
    trading_blocked: z.boolean(),
    /** What of options the broker lets it trade: `optionLevels`. Absent where the broker says nothing: none. */
    options_level: z.number().int().min(0).max(3).optional(),
    /** Dollars that may go into options, where the broker tells. */
    options_buying_power: decimalString.optional(),
    /** Whether it may trade crypto; absent where the broker says nothing: no. */
    crypto_active: z.boolean().optional(),
    /** True where prices and fills come from the sandbox. */
    simulated: z.boolean(),
  }),
);
export type Account = z.output<typeof accountSchema>;

export const positionSchema = z.lazy(() =>
  z.object({
    symbol: z.string(),
    side: z.enum(['long', 'short']),
    qty: decimalString,
    qty_available: decimalString,
    avg_entry_price: decimalString,
    current_price: decimalString,
    lastday_price: decimalString,
    market_value: decimalString,
    cost_basis: decimalString,
    unrealized_pl: decimalString,
    unrealized_plpc: decimalString,
    change_today: decimalString,
  }),
);
export type Position = z.output<typeof positionSchema>;

export const orderStatuses = [
  'new',
  'accepted',
  'pending_new',
  'held',
  'partially_filled',
  'filled',
  'done_for_day',
  'canceled',
  'pending_cancel',
  'expired',
  'replaced',
  'pending_replace',
  'rejected',
  'suspended',
  'stopped',
  'calculated',
  'accepted_for_bidding',
] as const; // prettier-ignore

/** The words that are known, and any other that the broker says: what is read may be more than what is ever sent. */
const wordOf = <Known extends readonly [string, ...string[]]>(known: Known) => z.enum(known).or(z.string());

const orderPart = () => ({
  id: z.string(),
  client_order_id: z.string(),
  /** Of an order of several legs that has none of its own, theirs, joined by ` + `. */
  symbol: z.string(),
  /** Empty where the order has none of its own: its legs have. */
  side: wordOf(sides),
  type: wordOf(orderTypes),
  time_in_force: wordOf(timesInForce),
  qty: decimalString.nullable(),
  notional: decimalString.nullable(),
  limit_price: decimalString.nullable(),
  stop_price: decimalString.nullable(),
  trail_price: decimalString.nullable(),
  trail_percent: decimalString.nullable(),
  extended_hours: z.boolean(),
  status: wordOf(orderStatuses),
  filled_qty: decimalString,
  filled_avg_price: decimalString.nullable(),
  submitted_at: z.string(),
  filled_at: z.string().nullable(),
  /** Absent for an order of one part. A leg has its order's. */
  order_class: wordOf(orderClasses).optional(),
  asset_class: wordOf(assetClasses).optional(),
  /** Of an option. */
  position_intent: wordOf(positionIntents).optional(),
});

/** A part of an order that has several. */
export const orderLegSchema = z.lazy(() => z.object(orderPart()));
export type OrderLeg = z.output<typeof orderLegSchema>;

export const orderSchema = z.lazy(() =>
  z.object({
    ...orderPart(),
    /** The exits of an entry, the stop beside a take profit, the options of a spread. */
    legs: z.array(orderLegSchema).optional(),
  }),
);
export type Order = z.output<typeof orderSchema>;

/** Statuses after which an order can no longer fill. An order that is `done_for_day` trades again the next trading day. */
export function isFinal(status: Order['status']): boolean {
  return ['filled', 'canceled', 'expired', 'rejected', 'replaced'].includes(status);
}

export const quoteSchema = z.lazy(() =>
  z.object({
    symbol: z.string(),
    name: z.string().nullable(),
    bid: decimalString,
    ask: decimalString,
    last: decimalString,
    previous_close: decimalString,
    at: z.string(),
    simulated: z.boolean(),
  }),
);
export type Quote = z.output<typeof quoteSchema>;

/** A security as the broker knows it. */
export const assetSchema = z.lazy(() =>
  z.object({
    symbol: z.string(),
    /** The broker's words. */
    name: z.string(),
    /** Where it is listed: `NASDAQ`. */
    exchange: z.string(),
    tradable: z.boolean(),
    /** Whether parts of a share are traded. */
    fractionable: z.boolean(),
    /** Whether it may be sold short. */
    shortable: z.boolean(),
  }),
);
export type Asset = Readonly<z.output<typeof assetSchema>>;

/**
 * What prices of the past are adjusted by: `split`, so that a price is comparable with today's; `all`, dividends and
 * spin-offs too, so that their quotient is a return; `raw`, as they were traded.
 */
export const barAdjustments = ['raw', 'split', 'all'] as const;
export type BarAdjustment = (typeof barAdjustments)[number];

export const barSchema = z.lazy(() =>
  z.object({
    at: z.string(),
    open: decimalString,
    high: decimalString,
    low: decimalString,
    close: decimalString,
    volume: decimalString,
  }),
);
export type Bar = z.output<typeof barSchema>;

export const clockSchema = z.lazy(() =>
  z.object({
    timestamp: z.string(),
    is_open: z.boolean(),
    next_open: z.string(),
    next_close: z.string(),
  }),
);
export type MarketClock = z.output<typeof clockSchema>;

/**
 * The gateway's errors: RFC 9457 problem JSON with a stable `code`. `expected_scopes` and `fields` name what is
 * missing or differs; no value of a token is ever in it.
 */
export const problemSchema = z.lazy(() =>
  z.looseObject({
    type: z.string(),
    title: z.string(),
    status: z.number().int(),
    code: z.string(),
    detail: z.string().optional(),
    hint: z.string().optional(),
    fields: z.array(z.string()).optional(),
  }),
);
export type Problem = z.output<typeof problemSchema>;
