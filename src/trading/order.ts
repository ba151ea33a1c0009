import { z } from 'zod';
import { dollars, shares } from './amounts.ts';
import { eachWords, ticksOf, unitWords } from './asset-class.ts';
import { cents, Dec, isOnTick, plain, positiveDecimalString, price, type Tick } from './decimal.ts';
import { slotPattern } from './mandate/cadence.ts';
import { checkOrderClass, checkPositionIntent } from './order-class-checks.ts';
import { type OrderClass, orderClasses, orderClassWords, positionIntents } from './order-classes.ts';
import { type OrderFieldName, orderField, orderFieldNames } from './order-fields.ts';
import { orderProblem as problem } from './order-problem.ts';
import { checkTerms, commonTerms } from './order-terms.ts';
import { hasPrice, orderTypes, type PriceOfType, sides, timesInForce } from './order-types.ts';
import { worstPrice } from './price-band.ts';
import { symbolSchema } from './symbol.ts';

export const environments = ['paper', 'live'] as const;

export {
  type OrderType,
  orderTypes,
  type Side,
  sides,
  type TimeInForce,
  timesInForce,
} from './order-types.ts';
export { symbolSchema } from './symbol.ts';
export type Environment = (typeof environments)[number];

/** The largest quantity or amount of one order; far above any real one, it catches slipped zeros early. */
export const LARGEST_QTY = '1000000';
const LARGEST_NOTIONAL = '100000000';

/** A fraction: how far from the reference price an order may go. No request may ask for more. */
const LARGEST_SLIPPAGE = '0.10';

export const slippageSchema = positiveDecimalString.refine(
  // Refinements also run on what the pattern has already refused, and Decimal throws on that.
  (text) => !positiveDecimalString.safeParse(text).success || new Dec(text).lte(LARGEST_SLIPPAGE),
  `must be a fraction of at most ${LARGEST_SLIPPAGE}`,
);

export const accountNumberSchema = z
  .string()
  .regex(/^[\x20-\x7e]{1,64}$/, 'must be printable ASCII, at most 64 characters');

const parts = {
  order_class: z
    .enum(orderClasses)
    .optional()
    .describe(
      'Exits, for whole shares, day or gtc: bracket buys (market or limit) with take profit and stop loss, oto with one of ' +
        'them; oco sells what is held (type limit, no limit_price) at whichever comes first. Left out for an order of one part.',
    ),
  take_profit_limit_price: positiveDecimalString
    .optional()
    .describe('Dollars a share: the exit that takes the profit'),
  stop_loss_stop_price: positiveDecimalString
    .optional()
    .describe('Dollars a share: the exit that stops the loss'),
  stop_loss_limit_price: positiveDecimalString
    .optional()
    .describe('Dollars a share: what that exit does not go below; max_slippage from its stop where left out'),
  position_intent: z.enum(positionIntents).optional().describe('Of an option alone'),
};

/** What the person or the model asks for, before defaults, prices and identifiers are filled in. */
export const orderRequestSchema = z.strictObject({
  account: accountNumberSchema.optional(),
  symbol: symbolSchema,
  side: z.enum(sides),
  /** Shares, contracts or coins, by the symbol. Exactly one of qty and notional. */
  qty: positiveDecimalString.optional(),
  notional: positiveDecimalString.optional(),
  type: z.enum(orderTypes).default('market'),
  time_in_force: z.enum(timesInForce).default('day'),
  limit_price: positiveDecimalString.optional(),
  stop_price: positiveDecimalString.optional(),
  trail_price: positiveDecimalString.optional(),
  /** Percent, `"2"` is 2 %. */
  trail_percent: positiveDecimalString.optional(),
  ...parts,
  extended_hours: z.boolean().default(false),
} satisfies Partial<Record<OrderFieldName, z.ZodType>>);
export type OrderRequest = z.output<typeof orderRequestSchema>;
export type OrderRequestInput = z.input<typeof orderRequestSchema>;

/**
 * A complete order: what the person approves and the gateway compares field by field. Decimal strings;
 * `max_slippage` is a fraction (`"0.01"` is 1 %), `expires_at` UTC to the second.
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
    ...parts,
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
    slot: z.string().regex(slotPattern).optional(),
  } satisfies Record<OrderFieldName, z.ZodType>),
);
export type OrderDraft = z.output<typeof orderDraftSchema>;

/**
 * Checks what the schema can't: fields that belong together, ticks, sizes, unbounded prices, and terms no broker
 * takes. The broker's own terms are checked with its traits. @throws {TradeAgentError} `invalid_order`
 */
export function checkOrder(order: OrderRequest | OrderDraft): void {
  checkSize(order);
  checkPrices(order);
  checkOrderClass(order);
  checkPositionIntent(order);
  checkAuction(order);
  checkTerms(order, commonTerms);
}

function checkSize({ symbol, qty, notional }: OrderRequest | OrderDraft): void {
  const unit = unitWords(symbol);
  if ((qty === undefined) === (notional === undefined)) {
    throw problem(
      qty === undefined
        ? 'the order has neither a quantity nor an amount'
        : 'the order has both a quantity and an amount',
      `Give either a number of ${unit} (qty) or an amount in dollars (notional).`,
      'qty',
    );
  }
  if (qty !== undefined && new Dec(qty).gt(LARGEST_QTY)) {
    throw problem(
      `${shares(qty)} ${unit} is more than one order may have`,
      `Ask for at most ${shares(LARGEST_QTY)} ${unit}.`,
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

function checkPrices(order: OrderRequest | OrderDraft): void {
  const { type } = order;
  // Without an entry there is none to price: the limit is the take profit's.
  const isPriced = order.order_class === undefined || orderClassWords[order.order_class].entry;
  for (const field of ['limit_price', 'stop_price'] as const) {
    const wanted = isPriced && hasPrice(type, field);
    if (wanted && order[field] === undefined) {
      throw problem(
        `a ${type} order needs a ${field}`,
        `Add ${field}, in dollars ${eachWords(order.symbol)}.`,
        field,
      );
    }
    if (!wanted && order[field] !== undefined) {
      throw problem(
        `${isPriced ? `a ${type}` : `an ${order.order_class}`} order takes no ${field}`,
        `Leave ${field} out, or choose type ${typesWith(field).join(' or ')}.`,
        field,
      );
    }
  }
  checkTrail(order);
}

function checkTrail({ type, trail_price, trail_percent }: OrderRequest | OrderDraft): void {
  const trails = [trail_price, trail_percent].filter((value) => value !== undefined).length;
  const isTrailing = hasPrice(type, 'trail');
  if (trails !== (isTrailing ? 1 : 0)) {
    throw problem(
      isTrailing
        ? `a ${type} order needs one of trail_price and trail_percent`
        : `a ${type} order takes no trail`,
      `trail_price is in dollars a share, trail_percent in percent; only a ${typesWith('trail').join(' or ')} order has one.`,
      'trail_price',
    );
  }
  if (trail_percent !== undefined && new Dec(trail_percent).gte(100)) {
    throw problem(
      `a trail of ${trail_percent} % leaves no price to stop at`,
      'Give a trail_percent below 100: "2" is 2 %.',
      'trail_percent',
    );
  }
}

const typesWith = (price: PriceOfType) => orderTypes.filter((type) => hasPrice(type, price));

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

function limitThatWouldDo(order: OrderRequest | OrderDraft): string {
  const { side } = order;
  const words = `a limit_price, the ${side === 'buy' ? 'most to pay' : 'least to take'} a share`;
  if (!('reference_price' in order)) return words;
  return `${words}: ${worstPrice(side, order.stop_price ?? order.reference_price, order.max_slippage, ticksOf(order.symbol))} would do`;
}

/**
 * Writes amounts canonically (prices to the tick, quantities without trailing zeros), so that equal orders have
 * equal digests. Never changes a value: checkOrder refuses a price off its tick. @throws {TradeAgentError}
 * `invalid_order` for an unknown field, which would give the same order a second digest
 */
export function normalizeOrder<T extends OrderRequest | OrderDraft>(order: T): T {
  const normalized: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(order)) {
    if (value === undefined) continue;
    const form = orderField(field)?.form;
    if (form === undefined) {
      throw problem(`an order has no field ${JSON.stringify(field)}`, 'Leave it out.', field);
    }
    normalized[field] = form === 'word' ? value : written(String(value), form, ticksOf(order.symbol));
  }
  return normalized as T;
}

function written(value: string, form: 'price' | 'amount', ticks: readonly Tick[]): string {
  return form === 'price' && isOnTick(value, ticks) ? price(value, ticks) : plain(value);
}

interface ShorthandFields {
  readonly side: string;
  readonly symbol: string;
  readonly qty?: string | undefined;
  readonly notional?: string | undefined;
  readonly type: string;
  readonly order_class?: string | undefined;
}

/**
 * One line in broker shorthand: `BUY 5 AAPL LMT 180.00`, `BUY USD 500.00 AAPL MKT`, `BUY 5 AAPL MKT TP 200.00 SL
 * 170.00 BRACKET`.
 */
export function describeOrder(order: ShorthandFields): string {
  const { order_class, qty, notional, symbol, side, type } = order;
  const amount = qty ?? `USD ${cents(notional ?? '0')}`;
  const prices = orderFieldNames.flatMap((name) => {
    const value: unknown = Object.hasOwn(order, name) ? order[name as keyof ShorthandFields] : undefined;
    return typeof value === 'string' ? (orderField(name)?.shorthand?.(value) ?? []) : [];
  });
  return [
    side.toUpperCase(),
    amount,
    symbol,
    ...(type === 'market' ? ['MKT'] : []),
    ...prices,
    ...(order_class === undefined ? [] : [classWord(order_class)]),
  ].join(' ');
}

function classWord(name: string): string {
  return Object.hasOwn(orderClassWords, name)
    ? orderClassWords[name as OrderClass].shorthand
    : name.toUpperCase();
}
