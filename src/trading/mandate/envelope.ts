import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { formatDollarAmount } from '../amounts.ts';
import { Dec, positiveDecimalString } from '../decimal.ts';
import { ONE_DAY_MS } from '../new-york-time.ts';
import { accountNumberSchema, environments, sides, slippageSchema, symbolSchema } from '../order.ts';
import { invalidOrderError as problem } from '../order-problem.ts';
import { orderTypes, orderTypeTable, timesInForce } from '../order-types.ts';
import { cadences } from './cadence.ts';
import { checkStandingOrder, standingOrderSchema } from './standing-order.ts';

/*
 * A mandate approves orders in advance, once, on the phone. It bounds each order, each day and the total, and its
 * cadence limits how often it may be used. RFC 9396 type `trading_mandate`.
 */

/** Maximum lifetime in days. It is longer than any month, so that a monthly order is due at least once. */
export const MAX_MANDATE_DAYS = { live: 35, paper: 90 } as const;
const MAX_ON_DEMAND_ORDERS = 10;
const MAX_MANDATE_ORDERS = 1_000;
const MAX_MANDATE_SYMBOLS = 20;
const MAX_ORDERS_PER_SLOT = 10;

/** Order types with a bounded price. A mandate can't cover other types, because they have no worst case to approve. */
const mandateOrderTypes = orderTypes.filter((type) => orderTypeTable[type].bound !== null);

export const mandateIdSchema = z.string().regex(/^M-[A-Za-z0-9_-]{10}$/, 'must be a mandate ID such as M-x9K2…');

/** A price range in dollars a share. Either end may be open. */
const bandSchema = z
  .strictObject({ min: positiveDecimalString.optional(), max: positiveDecimalString.optional() })
  .refine(({ min, max }) => min !== undefined || max !== undefined, 'must have min or max');

const distinctArray = <Item extends z.ZodType>(item: Item, most: number) =>
  z
    .array(item)
    .min(1)
    .max(most)
    .refine((all) => new Set(all).size === all.length, 'must not have duplicates');

const termsShape = () => ({
  symbols: distinctArray(symbolSchema, MAX_MANDATE_SYMBOLS),
  sides: distinctArray(z.enum(sides), sides.length),
  order_types: distinctArray(z.enum(mandateOrderTypes), mandateOrderTypes.length),
  times_in_force: distinctArray(z.enum(timesInForce), timesInForce.length),
  /** Maximum worst case of one order, in dollars. */
  max_order_notional: positiveDecimalString,
  /** Maximum worst case of all orders of one New York day, in dollars. */
  max_day_notional: positiveDecimalString.optional(),
  /** Maximum notional of all orders together, buys and sells, in dollars. Sale proceeds are not added back. */
  max_total_notional: positiveDecimalString,
  max_orders: z.number().int().min(1).max(MAX_MANDATE_ORDERS),
  /** Price bands by symbol. A symbol without a price band is bounded only by the amounts. */
  price: z.record(symbolSchema, bandSchema).optional(),
  /** Maximum distance of an order from its reference price, as a fraction. */
  max_slippage: slippageSchema,
  cadence: z.enum(cadences),
  /** Maximum orders per period for each symbol and side. Defaults to 1. Not allowed for the `on_demand` cadence. */
  orders_per_slot: z.number().int().min(1).max(MAX_ORDERS_PER_SLOT).optional(),
  not_before: z.iso.datetime({ precision: 0 }),
  expires_at: z.iso.datetime({ precision: 0 }),
  /** The mandate that ends when this mandate is approved. */
  replaces: mandateIdSchema.optional(),
  standing: standingOrderSchema.optional(),
});

export const mandateRequestSchema = z.lazy(() => {
  const all = termsShape();
  return z.strictObject({
    /** The account's number. Defaults to the person's default account. */
    account: accountNumberSchema.optional(),
    ...all,
    sides: all.sides.default(['buy']),
    order_types: all.order_types.default(['market', 'limit']),
    times_in_force: all.times_in_force.default(['day']),
    max_slippage: all.max_slippage.optional(),
    cadence: all.cadence.default('on_demand'),
    not_before: all.not_before.optional(),
    environment: z.enum(environments).optional(),
  });
});
export type MandateRequest = z.output<typeof mandateRequestSchema>;
export type MandateRequestInput = z.input<typeof mandateRequestSchema>;

/** The terms that the owner signs. Amounts are decimal strings. Times are UTC, to the second. */
export const mandateEnvelopeSchema = z.lazy(() =>
  z.strictObject({
    mandate_id: mandateIdSchema,
    account: accountNumberSchema,
    environment: z.enum(environments),
    currency: z.literal('USD'),
    ...termsShape(),
    /**
     * RFC 7638 thumbprint of the key. Each order's sender must prove that it has the key (RFC 9449 `cnf.jkt`). For a
     * `standing` order, {@link GATEWAY_THUMBPRINT_PLACEHOLDER}.
     */
    agent_jkt: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
    /** Digest of the gateway's rules at the approval. If the rules have changed since, the owner is asked again. */
    policy: z.string().min(1).max(128),
  }),
);
export type MandateEnvelope = z.output<typeof mandateEnvelopeSchema>;

type Terms = Omit<MandateEnvelope, 'mandate_id' | 'account' | 'currency' | 'agent_jkt' | 'policy'>;

/** Checks the rules that the schema can't express. @throws {TradeAgentError} `invalid_order` */
export function checkMandate(mandate: Terms): void {
  checkAmounts(mandate);
  checkStandingOrder(mandate);
  const { not_before, expires_at } = mandate;
  if (Date.parse(expires_at) <= Date.parse(not_before)) {
    throw problem('the mandate would end before it starts', 'Choose a later end (expires_at).', 'expires_at');
  }
  const { cadence, max_orders, orders_per_slot, price, symbols } = mandate;
  if (cadence === 'on_demand' && max_orders > MAX_ON_DEMAND_ORDERS) {
    throw problem(
      `an on-demand mandate can have at most ${MAX_ON_DEMAND_ORDERS} orders, not ${max_orders}`,
      `Set a cadence (daily, weekly or monthly), or request at most ${MAX_ON_DEMAND_ORDERS} orders.`,
      'max_orders',
    );
  }
  if (cadence === 'on_demand' && orders_per_slot !== undefined) {
    throw problem(
      "an on-demand mandate can't have orders_per_slot",
      'Remove orders_per_slot, or set a cadence.',
      'orders_per_slot',
    );
  }
  const stray = Object.keys(price ?? {}).find((symbol) => !symbols.includes(symbol));
  if (stray !== undefined) {
    throw problem(
      `the price band for ${stray} is for a symbol that the mandate does not cover`,
      'Remove the price band.',
      'price',
    );
  }
  for (const [symbol, { min, max }] of Object.entries(price ?? {})) {
    if (min !== undefined && max !== undefined && new Dec(min).gt(max)) {
      throw problem(`the price band of ${symbol} has a min above its max`, 'Swap min and max.', 'price');
    }
  }
}

function checkAmounts({
  max_order_notional: order,
  max_day_notional: day,
  max_total_notional: total,
}: Pick<MandateEnvelope, 'max_order_notional' | 'max_day_notional' | 'max_total_notional'>): void {
  for (const [field, value] of Object.entries({
    max_order_notional: order,
    max_day_notional: day,
    max_total_notional: total,
  })) {
    if (value !== undefined && new Dec(value).decimalPlaces() > 2) {
      throw problem(`an amount of $${value} has more than two decimals`, 'Round the amount to cents.', field);
    }
  }
  if (new Dec(order).gt(day ?? total) || new Dec(order).gt(total)) {
    throw problem(
      `the maximum per order, ${formatDollarAmount(order)}, is above the maximum per day or in total`,
      'Use a max_order_notional no larger than max_day_notional and max_total_notional.',
      'max_order_notional',
    );
  }
  if (day !== undefined && new Dec(day).gt(total)) {
    throw problem(
      `the maximum per day, ${formatDollarAmount(day)}, is above the maximum in total`,
      'Use a max_day_notional no larger than max_total_notional.',
      'max_day_notional',
    );
  }
}

/** Checks the lifetime, counted from now even if the mandate starts later. @throws {TradeAgentError} `invalid_order` */
export function checkMandateLifetime(
  { environment, expires_at }: Pick<MandateEnvelope, 'environment' | 'expires_at'>,
  now: number,
): void {
  const ends = Date.parse(expires_at);
  if (ends <= now) throw problem(`${expires_at} is in the past`, 'Choose a later end (expires_at).', 'expires_at');
  const days = MAX_MANDATE_DAYS[environment];
  if (ends <= now + days * ONE_DAY_MS) return;
  throw problem(
    `a mandate for ${environment === 'live' ? 'real' : 'paper'} money lasts at most ${days} days`,
    `Use an expires_at no later than ${new Date(now + days * ONE_DAY_MS).toISOString().slice(0, 10)}.`,
    'expires_at',
  );
}

export function mandateDigest(terms: MandateEnvelope): string {
  return createHash('sha256')
    .update(canonicalize(terms) ?? '')
    .digest('base64url');
}
