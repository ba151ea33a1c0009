import { z } from 'zod';
import { assetClasses } from './asset-class.ts';
import { decimalString } from './decimal.ts';
import { environments } from './order.ts';
import { orderClasses, positionIntents } from './order-classes.ts';
import { orderTypes, sides, timesInForce } from './order-types.ts';

/**
 * Responses of the gateway. Amounts are decimal strings in dollars, dollars a share, or shares. `*_plpc` and
 * `change_today` are fractions. Times are RFC 3339.
 */
export const accountSchema = z.lazy(() =>
  z.object({
    account: z.string(),
    environment: z.enum(environments),
    status: z.string(),
    currency: z.string(),
    cash: decimalString,
    equity: decimalString,
    last_equity: decimalString.nullable(),
    last_equity_on: z.iso.date().optional(),
    buying_power: decimalString,
    long_market_value: decimalString,
    trading_blocked: z.boolean(),
    /** The approved options level. Absent if the broker returns none, because the account can't trade options. */
    options_level: z.number().int().min(0).max(3).optional(),
    options_buying_power: decimalString.optional(),
    crypto_active: z.boolean().optional(),
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

/** Accepts the known values and any other string, because brokers return values that we never send. */
const knownOrOther = <Known extends readonly [string, ...string[]]>(known: Known) => z.enum(known).or(z.string());

const orderShape = () => ({
  id: z.string(),
  client_order_id: z.string(),
  /** The symbol. A multi-leg order without a symbol has its legs' symbols, joined by ` + `. */
  symbol: z.string(),
  /** Empty for a multi-leg order, whose legs each have a side. */
  side: knownOrOther(sides),
  type: knownOrOther(orderTypes),
  time_in_force: knownOrOther(timesInForce),
  qty: decimalString.nullable(),
  notional: decimalString.nullable(),
  limit_price: decimalString.nullable(),
  stop_price: decimalString.nullable(),
  trail_price: decimalString.nullable(),
  trail_percent: decimalString.nullable(),
  extended_hours: z.boolean(),
  status: knownOrOther(orderStatuses),
  filled_qty: decimalString,
  filled_avg_price: decimalString.nullable(),
  submitted_at: z.string(),
  filled_at: z.string().nullable(),
  /** Absent for a simple order. A leg has its parent's order class. */
  order_class: knownOrOther(orderClasses).optional(),
  asset_class: knownOrOther(assetClasses).optional(),
  position_intent: knownOrOther(positionIntents).optional(),
  /** The type that the owner approved, if it was sent as another type with the approved bound as its limit. */
  approved_type: z.enum(orderTypes).optional(),
});

export const orderLegSchema = z.lazy(() => z.object(orderShape()));
export type OrderLeg = z.output<typeof orderLegSchema>;

export const orderSchema = z.lazy(() =>
  z.object({
    ...orderShape(),
    legs: z.array(orderLegSchema).optional(),
  }),
);
export type Order = z.output<typeof orderSchema>;

/** Returns whether an order can no longer fill. A `done_for_day` order can fill again the next trading day. */
export function isFinalStatus(status: Order['status']): boolean {
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

export const assetSchema = z.lazy(() =>
  z.object({
    symbol: z.string(),
    name: z.string(),
    exchange: z.string(),
    tradable: z.boolean(),
    fractionable: z.boolean(),
    shortable: z.boolean(),
    /** The smallest quantity of an order, for coins. */
    min_order_size: decimalString.optional(),
  }),
);
export type Asset = Readonly<z.output<typeof assetSchema>>;

/**
 * `raw`: prices as traded. `split`: adjusted for splits, so comparable with today's price. `all`: also adjusted for
 * dividends and spin-offs, so price ratios are total returns.
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

/** RFC 9457 problem with a stable `code`. `fields` names missing or differing fields, never a token's values. */
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
