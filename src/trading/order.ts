import { z } from 'zod';
import { formatDollarAmount, formatShares } from './amounts.ts';
import { perUnitWords, symbolTicks, unitWords } from './asset-class.ts';
import {
  Dec,
  decimalString,
  formatPrice,
  isOnTick,
  positiveDecimalString,
  type Tick,
  toCents,
  toPlain,
} from './decimal.ts';
import { slotPattern } from './mandate/cadence.ts';
import { checkOrderClass, checkPositionIntent } from './order-class-checks.ts';
import { type OrderClass, orderClasses, orderClassWords, positionIntents } from './order-classes.ts';
import { findOrderField, type OrderFieldName, orderFieldNames } from './order-fields.ts';
import { invalidOrderError as problem } from './order-problem.ts';
import { anyBrokerTerms, checkBrokerTerms } from './order-terms.ts';
import { orderTypes, orderTypeTable, type RequiredPrice, requiresPrice, sides, timesInForce } from './order-types.ts';
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

/** Maximums for any order. They are far above real quantities and amounts, and catch extra zeros early. */
export const MAX_QTY = '1000000';
const MAX_NOTIONAL = '100000000';

/** Maximum slippage that a request may ask for, as a fraction of the reference price. */
const MAX_SLIPPAGE = '0.10';

export const slippageSchema = positiveDecimalString.refine(
  // Zod runs refinements even if the pattern failed, and Decimal throws on such text.
  (text) => !positiveDecimalString.safeParse(text).success || new Dec(text).lte(MAX_SLIPPAGE),
  `must be a fraction of at most ${MAX_SLIPPAGE}`,
);

const feeSchema = decimalString.refine((text) => !text.startsWith('-'), 'must not be negative');

export const accountNumberSchema = z
  .string()
  .regex(/^[\x20-\x7e]{1,64}$/, 'must be printable ASCII, at most 64 characters');

const exitShape = {
  order_class: z
    .enum(orderClasses)
    .optional()
    .describe(
      'Adds exits; for whole shares, day or gtc. bracket: a buy (market or limit) with a take profit and a stop loss. oto: a ' +
        'buy with one of the two. oco: sells a held position at whichever exit comes first (type limit, no limit_price). ' +
        'Omit for a single order.',
    ),
  take_profit_limit_price: positiveDecimalString
    .optional()
    .describe('Dollars a share: the limit price of the take-profit exit'),
  stop_loss_stop_price: positiveDecimalString
    .optional()
    .describe('Dollars a share: the stop price of the stop-loss exit'),
  stop_loss_limit_price: positiveDecimalString
    .optional()
    .describe('Dollars a share: the limit of the stop-loss exit; defaults to max_slippage below its stop'),
  position_intent: z.enum(positionIntents).optional().describe('For options only'),
};

/** An order as the person or the model requests it, before defaults, a reference price and an ID are added. */
export const orderRequestSchema = z.strictObject({
  account: accountNumberSchema.optional(),
  symbol: symbolSchema,
  side: z.enum(sides),
  /** Shares, contracts or coins, depending on the symbol. Exactly one of qty and notional is given. */
  qty: positiveDecimalString.optional(),
  notional: positiveDecimalString.optional(),
  type: z.enum(orderTypes).default('market'),
  time_in_force: z.enum(timesInForce).default('day'),
  limit_price: positiveDecimalString.optional(),
  stop_price: positiveDecimalString.optional(),
  trail_price: positiveDecimalString.optional(),
  /** In percent: `"2"` is 2%. */
  trail_percent: positiveDecimalString.optional(),
  ...exitShape,
  extended_hours: z.boolean().default(false),
} satisfies Partial<Record<OrderFieldName, z.ZodType>>);
export type OrderRequest = z.output<typeof orderRequestSchema>;
export type OrderRequestInput = z.input<typeof orderRequestSchema>;

/**
 * A complete order, as the person approves it. The gateway compares every field with the approval. Numbers are decimal
 * strings, `max_slippage` is a fraction (`"0.01"` is 1%), and `expires_at` is in UTC, to the second.
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
    ...exitShape,
    extended_hours: z.boolean(),
    reference_price: positiveDecimalString,
    max_slippage: slippageSchema,
    /** The most that the broker charges, in dollars. Set by the gateway; absent if the fees are unknown. */
    max_fees: feeSchema.optional(),
    /** The fraction of the coins bought that the broker keeps. Set by the gateway. */
    coin_fee: feeSchema.optional(),
    client_order_id: z.string().regex(/^[A-Za-z0-9_-]{8,48}$/),
    expires_at: z.iso.datetime({ precision: 0 }),
    /** The mandate that authorizes the order in place of an approval. Set only by the gateway. */
    mandate: z
      .string()
      .regex(/^M-[A-Za-z0-9_-]{10}$/)
      .optional(),
    slot: z.string().regex(slotPattern).optional(),
  } satisfies Record<OrderFieldName, z.ZodType>),
);
export type OrderDraft = z.output<typeof orderDraftSchema>;

/**
 * Checks the rules that the schema can't express: dependent fields, ticks, sizes, unbounded prices, and terms that no
 * broker accepts. A specific broker's terms are checked with its traits.
 * @throws {TradeAgentError} `invalid_order`
 */
export function checkOrder(order: OrderRequest | OrderDraft): void {
  checkSize(order);
  checkSide(order);
  checkPrices(order);
  checkOrderClass(order);
  checkPositionIntent(order);
  checkAuction(order);
  checkBrokerTerms(order, anyBrokerTerms);
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
  if (qty !== undefined && new Dec(qty).gt(MAX_QTY)) {
    throw problem(
      `${formatShares(qty)} ${unit} is above the maximum for one order`,
      `Ask for at most ${formatShares(MAX_QTY)} ${unit}.`,
      'qty',
    );
  }
  if (notional !== undefined && new Dec(notional).gt(MAX_NOTIONAL)) {
    throw problem(
      `${formatDollarAmount(notional)} is above the maximum for one order`,
      `Ask for at most ${formatDollarAmount(MAX_NOTIONAL)}.`,
      'notional',
    );
  }
  if (notional !== undefined && new Dec(notional).decimalPlaces() > 2) {
    throw problem(`an amount of $${notional} has more than two decimals`, 'Round the amount to cents.', 'notional');
  }
}

function checkSide({ type, side }: OrderRequest | OrderDraft): void {
  const { side: only = side } = orderTypeTable[type];
  if (side === only) return;
  throw problem(
    `a ${type} order can only ${only}, because nothing bounds the price that it would ${side} at`,
    `Use type ${orderTypes.find((other) => orderTypeTable[type].sentAs === other) ?? 'limit'}, which bounds the price.`,
    'type',
  );
}

function checkPrices(order: OrderRequest | OrderDraft): void {
  const { type } = order;
  // An OCO has no entry to price, and its limit is the take profit.
  const isPriced = order.order_class === undefined || orderClassWords[order.order_class].entry;
  for (const field of ['limit_price', 'stop_price'] as const) {
    const wanted = isPriced && requiresPrice(type, field);
    if (wanted && order[field] === undefined) {
      throw problem(
        `a ${type} order needs a ${field}`,
        `Add ${field}, in dollars ${perUnitWords(order.symbol)}.`,
        field,
      );
    }
    if (!wanted && order[field] !== undefined) {
      throw problem(
        `${isPriced ? `a ${type}` : `an ${order.order_class}`} order can't have a ${field}`,
        `Remove ${field}, or use type ${typesRequiring(field).join(' or ')}.`,
        field,
      );
    }
  }
  checkTrail(order);
}

function checkTrail({ type, trail_price, trail_percent }: OrderRequest | OrderDraft): void {
  const trails = [trail_price, trail_percent].filter((value) => value !== undefined).length;
  const isTrailing = requiresPrice(type, 'trail');
  if (trails !== (isTrailing ? 1 : 0)) {
    throw problem(
      isTrailing ? `a ${type} order needs one of trail_price and trail_percent` : `a ${type} order can't have a trail`,
      `trail_price is in dollars a share, trail_percent in percent. Only a ${typesRequiring('trail').join(' or ')} order has a trail.`,
      'trail_price',
    );
  }
  if (trail_percent !== undefined && new Dec(trail_percent).gte(100)) {
    throw problem(
      `a trail of ${trail_percent}% puts the stop price at or below zero`,
      'Use a trail_percent below 100, such as "2" for 2%.',
      'trail_percent',
    );
  }
}

const typesRequiring = (price: RequiredPrice) => orderTypes.filter((type) => requiresPrice(type, price));

/** Rejects an auction order without a limit, because it would fill at any price. */
function checkAuction(order: OrderRequest | OrderDraft): void {
  const { type, time_in_force } = order;
  const auction = time_in_force === 'opg' || time_in_force === 'cls';
  if (!auction || type === 'limit') return;
  throw problem(
    `${time_in_force} accepts only limit orders, because an auction's price is unbounded`,
    `Use type limit with ${suggestLimit(order)}, or time_in_force day.`,
    'type',
  );
}

function suggestLimit(order: OrderRequest | OrderDraft): string {
  const { side } = order;
  const words = `a limit_price (the ${side === 'buy' ? 'most to pay' : 'least to accept'} per share)`;
  if (!('reference_price' in order)) return words;
  return `${words} such as ${worstPrice(side, order.stop_price ?? order.reference_price, order.max_slippage, symbolTicks(order.symbol))}`;
}

/**
 * Formats amounts canonically (prices to the tick, quantities without trailing zeros), so that equal orders have equal
 * digests. Never changes a value, because checkOrder rejects prices off the tick.
 * @throws {TradeAgentError} `invalid_order` for an unknown field, because equal orders could then have different
 * digests
 */
export function normalizeOrder<T extends OrderRequest | OrderDraft>(order: T): T {
  const normalized: Record<string, unknown> = {};
  for (const [field, value] of Object.entries(order)) {
    if (value === undefined) continue;
    const form = findOrderField(field)?.form;
    if (form === undefined) {
      throw problem(`an order has no field ${JSON.stringify(field)}`, 'Remove it.', field);
    }
    normalized[field] = form === 'word' ? value : formatCanonical(String(value), form, symbolTicks(order.symbol));
  }
  return normalized as T;
}

function formatCanonical(value: string, form: 'price' | 'amount', ticks: readonly Tick[]): string {
  return form === 'price' && isOnTick(value, ticks) ? formatPrice(value, ticks) : toPlain(value);
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
 * Describes an order in broker shorthand: `BUY 5 AAPL LMT 180.00`, `BUY USD 500.00 AAPL MKT`,
 * `BUY 5 AAPL MKT TP 200.00 SL 170.00 BRACKET`.
 */
export function describeOrder(order: ShorthandFields): string {
  const { order_class, qty, notional, symbol, side, type } = order;
  const amount = qty ?? `USD ${toCents(notional ?? '0')}`;
  const prices = orderFieldNames.flatMap((name) => {
    const value: unknown = Object.hasOwn(order, name) ? order[name as keyof ShorthandFields] : undefined;
    return typeof value === 'string' ? (findOrderField(name)?.shorthand?.(value) ?? []) : [];
  });
  return [
    side.toUpperCase(),
    amount,
    symbol,
    ...(type === 'market' ? ['MKT'] : []),
    ...prices,
    ...(order_class === undefined ? [] : [classShorthand(order_class)]),
  ].join(' ');
}

function classShorthand(name: string): string {
  return Object.hasOwn(orderClassWords, name) ? orderClassWords[name as OrderClass].shorthand : name.toUpperCase();
}
