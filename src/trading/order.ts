import { z } from 'zod';
import { dollars, shares } from './amounts.ts';
import { cents, Dec, isOnTick, plain, positiveDecimalString, price } from './decimal.ts';
import { slotPattern } from './mandate/cadence.ts';
import { type OrderFieldName, orderField, orderFieldNames } from './order-fields.ts';
import { orderProblem as problem } from './order-problem.ts';
import { checkTerms, commonTerms } from './order-terms.ts';
import { type OrderType, orderTypes, timesInForce } from './order-types.ts';
import { worstPrice } from './price-band.ts';

export const environments = ['paper', 'live'] as const;
export const sides = ['buy', 'sell'] as const;

export { type OrderType, orderTypes, type TimeInForce, timesInForce } from './order-types.ts';
export type Environment = (typeof environments)[number];
export type Side = (typeof sides)[number];

/** A US equity symbol as brokers write it, upper case: `AAPL`, `BRK.B`. */
export const symbolSchema = z
  .string()
  // Before anything is turned to upper case: that would make FI of the ligature U+FB01, and S of the long s.
  .regex(/^[ -~]*$/, 'must be printable ASCII')
  .transform((text) => text.trim().toUpperCase())
  .pipe(
    z
      .string()
      .regex(/^[A-Z][A-Z0-9]{0,9}([./][A-Z0-9]{1,4})?$/, 'must be a ticker symbol such as AAPL or BRK.B'),
  );

/** The largest quantity or amount of one order; far above any real one, it catches slipped zeros early. */
export const LARGEST_QTY = '1000000';
const LARGEST_NOTIONAL = '100000000';

/** A fraction: how far from the reference price an order may go. No request may ask for more. */
export const LARGEST_SLIPPAGE = '0.10';

/** A fraction of at most {@link LARGEST_SLIPPAGE}: `"0.01"` is 1 %. */
export const slippageSchema = positiveDecimalString.refine(
  // Refinements also run on what the pattern has already refused, and Decimal throws on that.
  (text) => !positiveDecimalString.safeParse(text).success || new Dec(text).lte(LARGEST_SLIPPAGE),
  `must be a fraction of at most ${LARGEST_SLIPPAGE}`,
);

/** An account's number as its broker writes it. */
export const accountNumberSchema = z
  .string()
  .regex(/^[\x20-\x7e]{1,64}$/, 'must be printable ASCII, at most 64 characters');

/** What the person or the model asks for, before defaults, prices and identifiers are filled in. */
export const orderRequestSchema = z.strictObject({
  /** The number of the account; the person's default one where it is left out. */
  account: accountNumberSchema.optional(),
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
} satisfies Partial<Record<OrderFieldName, z.ZodType>>);
export type OrderRequest = z.output<typeof orderRequestSchema>;
export type OrderRequestInput = z.input<typeof orderRequestSchema>;

/**
 * An order complete to the last field: what the person approves, and what the gateway compares field by field.
 * Decimal strings throughout. `max_slippage` is a fraction (`"0.01"` is 1 %); `expires_at` is UTC to the second.
 */
export const orderDraftSchema = z.lazy(() =>
  z.strictObject({
    account: accountNumberSchema,
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
    max_slippage: slippageSchema,
    client_order_id: z.string().regex(/^[A-Za-z0-9_-]{8,48}$/),
    expires_at: z.iso.datetime({ precision: 0 }),
    /** The mandate that it is placed under, instead of an approval of its own; the gateway's to say. */
    mandate: z
      .string()
      .regex(/^M-[A-Za-z0-9_-]{10}$/)
      .optional(),
    /** What of the mandate it takes: `2026-W48`. */
    slot: z.string().regex(slotPattern).optional(),
  } satisfies Record<OrderFieldName, z.ZodType>),
);
export type OrderDraft = z.output<typeof orderDraftSchema>;

/**
 * Checks what the schema can't: fields that belong together, ticks, limits of size, what nothing would bound, and terms
 * that no broker takes. What the broker at hand takes of it, its own traits say.
 * @throws {TradeAgentError} `invalid_order`, naming the field and what to write instead
 */
export function checkOrder(order: OrderRequest | OrderDraft): void {
  checkSize(order);
  checkPrices(order);
  checkAuction(order);
  checkTerms(order, commonTerms);
}

function checkSize({ qty, notional }: OrderRequest | OrderDraft): void {
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
}

/** Each type has its own prices, and no others. */
function checkPrices(order: OrderRequest | OrderDraft): void {
  const { type } = order;
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
  if (order.trail_percent !== undefined && new Dec(order.trail_percent).gte(100)) {
    throw problem(
      `a trail of ${order.trail_percent} % leaves no price to stop at`,
      'Give a trail_percent below 100: "2" is 2 %.',
      'trail_percent',
    );
  }
}

/** An auction gives a market order, or what becomes one, whatever price it finds. */
function checkAuction(order: OrderRequest | OrderDraft): void {
  const { type, time_in_force } = order;
  const auction = time_in_force === 'opg' || time_in_force === 'cls';
  if (!auction || type === 'limit') return;
  throw problem(
    `${time_in_force} takes limit orders alone: nothing bounds an auction's price`,
    `Use type limit with ${limitThatWouldDo(order)}, or time_in_force day.`,
    'type',
  );
}

/** In words, with its price where the order says what it was counted from. */
function limitThatWouldDo(order: OrderRequest | OrderDraft): string {
  const { side } = order;
  const words = `a limit_price, the ${side === 'buy' ? 'most to pay' : 'least to take'} a share`;
  if (!('reference_price' in order)) return words;
  return `${words}: ${worstPrice(side, order.stop_price ?? order.reference_price, order.max_slippage)} would do`;
}

/**
 * Writes every amount one way (prices to the tick, quantities without trailing zeros), so that two orders that mean
 * the same have the same digest. It never changes a value: a price off its tick stays as it is, for checkOrder to refuse.
 * @throws {TradeAgentError} `invalid_order` for a field that it does not know: written as it came, it would give the
 *   same order a second digest
 */
export function normalizeOrder<T extends OrderRequest | OrderDraft>(order: T): T {
  const normalized: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(order)) {
    if (value === undefined) continue;
    const form = orderField(field)?.form;
    if (form === undefined) {
      throw problem(`an order has no field ${JSON.stringify(field)}`, 'Leave it out.', field);
    }
    normalized[field] = form === 'word' ? value : written(String(value), form);
  }
  return normalized as T;
}

function written(value: string, form: 'price' | 'amount'): string {
  return form === 'price' && isOnTick(value) ? price(value) : plain(value);
}

/** The order in one line of a broker's shorthand, `BUY 5 AAPL LMT 180.00 DAY`; the amount form is `BUY USD 500.00 AAPL MKT`. */
export function describeOrder(order: OrderRequest | OrderDraft): string {
  const amount = order.qty ?? `USD ${cents(order.notional ?? '0')}`;
  const prices = orderFieldNames.flatMap((name) => {
    const value = name in order ? order[name as keyof typeof order] : undefined;
    return typeof value === 'string' ? (orderField(name)?.shorthand?.(value) ?? []) : [];
  });
  const terms = order.type === 'market' ? 'MKT' : prices.join(' ');
  return `${order.side.toUpperCase()} ${amount} ${order.symbol} ${terms}`;
}
