import { z } from 'zod';
import { dollars, shares } from './amounts.ts';
import { cents, Dec, isOnTick, plain, positiveDecimalString, price } from './decimal.ts';
import { TradeAgentError } from './errors.ts';

export const environments = ['paper', 'live'] as const;
export const sides = ['buy', 'sell'] as const;
export const orderTypes = ['market', 'limit', 'stop', 'stop_limit', 'trailing_stop'] as const;
export const timesInForce = ['day', 'gtc', 'opg', 'cls', 'ioc', 'fok'] as const;

export type Environment = (typeof environments)[number];
export type Side = (typeof sides)[number];
export type OrderType = (typeof orderTypes)[number];
export type TimeInForce = (typeof timesInForce)[number];

/** A US equity symbol as brokers write it, upper case: `AAPL`, `BRK.B`. */
export const symbolSchema = z
  .string()
  .transform((text) => text.trim().toUpperCase())
  .pipe(
    z
      .string()
      .regex(/^[A-Z][A-Z0-9]{0,9}([./][A-Z0-9]{1,4})?$/, 'must be a ticker symbol such as AAPL or BRK.B'),
  );

/** The largest quantity or amount of one order; far above any real one, it catches slipped zeros early. */
export const LARGEST_QTY = '1000000';
const LARGEST_NOTIONAL = '100000000';

/** What the person or the model asks for, before defaults, prices and identifiers are filled in. */
export const orderRequestSchema = z.strictObject({
  symbol: symbolSchema,
  side: z.enum(sides),
  /** Shares. Exactly one of qty and notional. */
  qty: positiveDecimalString.optional(),
  /** Dollars. */
  notional: positiveDecimalString.optional(),
  type: z.enum(orderTypes).default('market'),
  time_in_force: z.enum(timesInForce).default('day'),
  /** Dollars a share. */
  limit_price: positiveDecimalString.optional(),
  /** Dollars a share. */
  stop_price: positiveDecimalString.optional(),
  /** Dollars a share. */
  trail_price: positiveDecimalString.optional(),
  /** Percent, `"2"` is 2 %. */
  trail_percent: positiveDecimalString.optional(),
  extended_hours: z.boolean().default(false),
});
export type OrderRequest = z.output<typeof orderRequestSchema>;
export type OrderRequestInput = z.input<typeof orderRequestSchema>;

/**
 * An order complete to the last field: what the person approves, and what the gateway compares field by field.
 * Decimal strings throughout. `max_slippage` is a fraction (`"0.01"` is 1 %); `expires_at` is UTC to the second.
 */
export const orderDraftSchema = z.lazy(() =>
  z.strictObject({
    account: z.string().min(1).max(64),
    environment: z.enum(environments),
    symbol: symbolSchema,
    side: z.enum(sides),
    qty: positiveDecimalString.optional(),
    notional: positiveDecimalString.optional(),
    type: z.enum(orderTypes),
    time_in_force: z.enum(timesInForce),
    limit_price: positiveDecimalString.optional(),
    stop_price: positiveDecimalString.optional(),
    trail_price: positiveDecimalString.optional(),
    trail_percent: positiveDecimalString.optional(),
    extended_hours: z.boolean(),
    reference_price: positiveDecimalString,
    max_slippage: positiveDecimalString.refine(
      // Refinements also run on what the pattern has already refused, and Decimal throws on that.
      (text) => !positiveDecimalString.safeParse(text).success || new Dec(text).lte(1),
      'must be a fraction of at most 1',
    ),
    client_order_id: z.string().regex(/^[A-Za-z0-9_-]{8,48}$/),
    expires_at: z.iso.datetime({ precision: 0 }),
  }),
);
export type OrderDraft = z.output<typeof orderDraftSchema>;

const problem = (message: string, hint: string, field: string) =>
  new TradeAgentError('invalid_order', message, { hint, details: { field } });

/**
 * Checks what the schema can't: fields that belong together, ticks, limits of size.
 * Sources: Alpaca "Placing Orders" (fractional = day, market/limit/stop/stop_limit; extended hours = limit, day/gtc).
 * @throws {TradeAgentError} `invalid_order`, naming the field and what to write instead
 */
export function checkOrder(order: OrderRequest | OrderDraft): void {
  const { qty, notional, type } = order;
  if ((qty === undefined) === (notional === undefined)) {
    throw problem(
      qty === undefined
        ? 'the order has neither a quantity nor an amount'
        : 'the order has both a quantity and an amount',
      'Give either a number of shares (qty) or an amount in dollars (notional).',
      'qty',
    );
  }
  if (qty !== undefined && new Dec(qty).gt(LARGEST_QTY)) {
    throw problem(
      `${shares(qty)} shares is more than one order may have`,
      `Ask for at most ${shares(LARGEST_QTY)} shares.`,
      'qty',
    );
  }
  if (notional !== undefined && new Dec(notional).gt(LARGEST_NOTIONAL)) {
    throw problem(
      `${dollars(notional)} is more than one order may have`,
      `Ask for at most ${dollars(LARGEST_NOTIONAL)}.`,
      'notional',
    );
  }
  if (notional !== undefined && new Dec(notional).decimalPlaces() > 2) {
    throw problem(`an amount of $${notional} has more than two decimals`, 'Round it to cents.', 'notional');
  }
  if (qty !== undefined && new Dec(qty).decimalPlaces() > 9) {
    throw problem(`a quantity of ${qty} has more than nine decimals`, 'Round it.', 'qty');
  }

  const takes = (field: 'limit_price' | 'stop_price', types: readonly OrderType[]) => {
    const wanted = types.includes(type);
    if (wanted && order[field] === undefined) {
      throw problem(`a ${type} order needs a ${field}`, `Add ${field}, in dollars a share.`, field);
    }
    if (!wanted && order[field] !== undefined) {
      throw problem(
        `a ${type} order takes no ${field}`,
        `Leave ${field} out, or choose type ${types.join(' or ')}.`,
        field,
      );
    }
  };
  takes('limit_price', ['limit', 'stop_limit']);
  takes('stop_price', ['stop', 'stop_limit']);

  const trails = [order.trail_price, order.trail_percent].filter((value) => value !== undefined).length;
  if (trails !== (type === 'trailing_stop' ? 1 : 0)) {
    throw problem(
      type === 'trailing_stop'
        ? 'a trailing_stop order needs one of trail_price and trail_percent'
        : `a ${type} order takes no trail`,
      'trail_price is in dollars a share, trail_percent in percent; only a trailing_stop order has one.',
      'trail_price',
    );
  }

  for (const field of ['limit_price', 'stop_price', 'trail_price'] as const) {
    const value = order[field];
    if (value !== undefined && !isOnTick(value)) {
      throw problem(
        `${field} ${value} is off the tick`,
        `Prices from $1 take two decimals, below $1 four: ${price(value)} would do.`,
        field,
      );
    }
  }

  const fractional = notional !== undefined || (qty !== undefined && !new Dec(qty).isInteger());
  if (fractional && order.time_in_force !== 'day') {
    throw problem(
      'a fractional order must have time_in_force day',
      'Use whole shares for gtc.',
      'time_in_force',
    );
  }
  if (fractional && type === 'trailing_stop') {
    throw problem('a trailing_stop order takes whole shares', 'Use a whole number of shares.', 'qty');
  }
  if (order.extended_hours && (type !== 'limit' || !['day', 'gtc'].includes(order.time_in_force))) {
    throw problem(
      'extended hours take only limit orders with time_in_force day or gtc',
      'Use a limit order, or leave extended_hours out.',
      'extended_hours',
    );
  }
}

/**
 * Writes every amount one way (prices to the tick, quantities without trailing zeros), so that two orders that mean
 * the same have the same digest. It never changes a value: a price off its tick stays as it is, for checkOrder to refuse.
 */
export function normalizeOrder<T extends OrderRequest | OrderDraft>(order: T): T {
  const normalized: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(order)) {
    if (value === undefined) continue;
    if (
      field === 'limit_price' ||
      field === 'stop_price' ||
      field === 'trail_price' ||
      field === 'reference_price'
    ) {
      normalized[field] = isOnTick(value as string) ? price(value as string) : plain(value as string);
    } else if (
      field === 'qty' ||
      field === 'notional' ||
      field === 'trail_percent' ||
      field === 'max_slippage'
    ) {
      normalized[field] = plain(value as string);
    } else {
      normalized[field] = value;
    }
  }
  return normalized as T;
}

/** The order in one line of a broker's shorthand, `BUY 5 AAPL LMT 180.00 DAY`; the amount form is `BUY USD 500.00 AAPL MKT`. */
export function describeOrder(order: OrderRequest | OrderDraft): string {
  const amount = order.qty ?? `USD ${cents(order.notional ?? '0')}`;
  const shorthand: Record<OrderType, string> = {
    market: 'MKT',
    limit: `LMT ${order.limit_price}`,
    stop: `STP ${order.stop_price}`,
    stop_limit: `STP ${order.stop_price} LMT ${order.limit_price}`,
    trailing_stop:
      order.trail_price !== undefined ? `TRAIL ${order.trail_price}` : `TRAIL ${order.trail_percent}PCT`,
  };
  return `${order.side.toUpperCase()} ${amount} ${order.symbol} ${shorthand[order.type]}`;
}
