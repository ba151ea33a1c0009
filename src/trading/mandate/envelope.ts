import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { dollars } from '../amounts.ts';
import { Dec, positiveDecimalString } from '../decimal.ts';
import { DAY } from '../new-york-time.ts';
import { accountNumberSchema, environments, sides, slippageSchema, symbolSchema } from '../order.ts';
import { orderProblem as problem } from '../order-problem.ts';
import { orderTypes, orderTypeTable, timesInForce } from '../order-types.ts';
import { cadences } from './cadence.ts';
import { checkStanding, standingSchema } from './standing.ts';

/*
 * A mandate: orders approved in advance, once, on the phone. It bounds each order, each day and the total; a cadence
 * says how often it may be used. RFC 9396 type `trading_mandate`.
 */

export const LONGEST_DAYS = { live: 30, paper: 90 } as const;
/** The most orders of one that may be used at any time. */
const MOST_ON_DEMAND = 10;
const MOST_ORDERS = 1_000;
const MOST_SYMBOLS = 20;
const MOST_PER_SLOT = 10;

/** What nothing bounds can't be promised beforehand. */
const mandateOrderTypes = orderTypes.filter((type) => orderTypeTable[type].bound !== null);

export const mandateIdSchema = z
  .string()
  .regex(/^M-[A-Za-z0-9_-]{10}$/, 'must be a mandate’s id such as M-x9K2…');

/** Dollars a share; either end may be open. */
const bandSchema = z
  .strictObject({ min: positiveDecimalString.optional(), max: positiveDecimalString.optional() })
  .refine(({ min, max }) => min !== undefined || max !== undefined, 'must have min or max');

const distinct = <Item extends z.ZodType>(item: Item, most: number) =>
  z
    .array(item)
    .min(1)
    .max(most)
    .refine((all) => new Set(all).size === all.length, 'must not have the same twice');

const terms = () => ({
  symbols: distinct(symbolSchema, MOST_SYMBOLS),
  sides: distinct(z.enum(sides), sides.length),
  order_types: distinct(z.enum(mandateOrderTypes), mandateOrderTypes.length),
  times_in_force: distinct(z.enum(timesInForce), timesInForce.length),
  /** Dollars that one order may come to, at its worst. */
  max_order_notional: positiveDecimalString,
  /** Dollars of one day, New York's. */
  max_day_notional: positiveDecimalString.optional(),
  /** Dollars of all orders together, purchases and sales; what sales bring gives none back. */
  max_total_notional: positiveDecimalString,
  max_orders: z.number().int().min(1).max(MOST_ORDERS),
  /** By symbol; a symbol without one is bounded by the amounts alone. */
  price: z.record(symbolSchema, bandSchema).optional(),
  /** A fraction: the furthest that an order may go from its reference price. */
  max_slippage: slippageSchema,
  cadence: z.enum(cadences),
  /** Of each symbol and side; no more than one has none on demand. */
  orders_per_slot: z.number().int().min(1).max(MOST_PER_SLOT).optional(),
  not_before: z.iso.datetime({ precision: 0 }),
  expires_at: z.iso.datetime({ precision: 0 }),
  /** The mandate whose place it takes: that one ends with the tap. */
  replaces: mandateIdSchema.optional(),
  standing: standingSchema.optional(),
});

export const mandateRequestSchema = z.lazy(() => {
  const all = terms();
  return z.strictObject({
    /** The person's default account if left out. */
    account: accountNumberSchema.optional(),
    ...all,
    sides: all.sides.default(['buy']),
    order_types: all.order_types.default(['market', 'limit']),
    times_in_force: all.times_in_force.default(['day']),
    max_slippage: all.max_slippage.optional(),
    cadence: all.cadence.default('on_demand'),
    not_before: all.not_before.optional(),
    /** Refused where the account is another's. */
    environment: z.enum(environments).optional(),
  });
});
export type MandateRequest = z.output<typeof mandateRequestSchema>;
export type MandateRequestInput = z.input<typeof mandateRequestSchema>;

/** What its owner signs: all that an order under it is held to. Amounts are decimal strings, times UTC to the second. */
export const mandateEnvelopeSchema = z.lazy(() =>
  z.strictObject({
    mandate_id: mandateIdSchema,
    account: accountNumberSchema,
    environment: z.enum(environments),
    currency: z.literal('USD'),
    ...terms(),
    /** RFC 7638 thumbprint of the key that its orders must come with (RFC 9449 `cnf.jkt`); with `standing` the gateway's. */
    agent_jkt: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
    /** Digest of the gateway's rules as they were: under other rules its owner is asked. */
    policy: z.string().min(1).max(128),
  }),
);
export type MandateEnvelope = z.output<typeof mandateEnvelopeSchema>;

type Terms = Omit<MandateEnvelope, 'mandate_id' | 'account' | 'currency' | 'agent_jkt' | 'policy'>;

/** Checks what the schema can't. @throws {TradeAgentError} `invalid_order` */
export function checkMandate(mandate: Terms): void {
  checkAmounts(mandate);
  checkStanding(mandate);
  const { not_before, expires_at } = mandate;
  if (Date.parse(expires_at) <= Date.parse(not_before)) {
    throw problem('the mandate would be over before it begins', 'Give a later expires_at.', 'expires_at');
  }
  const { cadence, max_orders, orders_per_slot, price, symbols } = mandate;
  if (cadence === 'on_demand' && max_orders > MOST_ON_DEMAND) {
    throw problem(
      `a mandate that is used on demand is for ${MOST_ON_DEMAND} orders at most, and this is for ${max_orders}`,
      `Give a cadence (daily, weekly, monthly), or ask for at most ${MOST_ON_DEMAND} orders.`,
      'max_orders',
    );
  }
  if (cadence === 'on_demand' && orders_per_slot !== undefined) {
    throw problem(
      'a mandate that is used on demand has no slots',
      'Leave orders_per_slot out, or give a cadence.',
      'orders_per_slot',
    );
  }
  const stray = Object.keys(price ?? {}).find((symbol) => !symbols.includes(symbol));
  if (stray !== undefined) {
    throw problem(
      `there is a price band for ${stray}, which the mandate is not for`,
      'Leave it out.',
      'price',
    );
  }
  for (const [symbol, { min, max }] of Object.entries(price ?? {})) {
    if (min !== undefined && max !== undefined && new Dec(min).gt(max)) {
      throw problem(`the price band of ${symbol} ends below where it begins`, 'Swap min and max.', 'price');
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
      throw problem(`an amount of $${value} has more than two decimals`, 'Round it to cents.', field);
    }
  }
  if (new Dec(order).gt(day ?? total) || new Dec(order).gt(total)) {
    throw problem(
      `one order may come to ${dollars(order)}, which is more than all of them may`,
      'Give a max_order_notional no larger than max_day_notional and max_total_notional.',
      'max_order_notional',
    );
  }
  if (day !== undefined && new Dec(day).gt(total)) {
    throw problem(
      `a day may come to ${dollars(day)}, which is more than all days may`,
      'Give a max_day_notional no larger than max_total_notional.',
      'max_day_notional',
    );
  }
}

/** Checks the lifetime, counted from now even if the mandate begins later. @throws {TradeAgentError} `invalid_order` */
export function checkLasting(
  { environment, expires_at }: Pick<MandateEnvelope, 'environment' | 'expires_at'>,
  now: number,
): void {
  const ends = Date.parse(expires_at);
  if (ends <= now) throw problem(`${expires_at} is over`, 'Give a later expires_at.', 'expires_at');
  const days = LONGEST_DAYS[environment];
  if (ends <= now + days * DAY) return;
  throw problem(
    `a mandate for ${environment === 'live' ? 'real' : 'paper'} money lasts at most ${days} days`,
    `Give an expires_at no later than ${new Date(now + days * DAY).toISOString().slice(0, 10)}.`,
    'expires_at',
  );
}

export function mandateDigest(terms: MandateEnvelope): string {
  return createHash('sha256')
    .update(canonicalize(terms) ?? '')
    .digest('base64url');
}
