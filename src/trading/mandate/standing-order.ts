import { createHash } from 'node:crypto';
import { z } from 'zod';
import { formatDollarAmount } from '../amounts.ts';
import { symbolAssetClass } from '../asset-class.ts';
import { Dec, positiveDecimalString } from '../decimal.ts';
import { checkOrder, type OrderRequest, sides, symbolSchema } from '../order.ts';
import { invalidOrderError as problem } from '../order-problem.ts';
import type { Cadence } from './cadence.ts';
import { nextDueTime, type RecurringTime, recurrences } from './due-times.ts';

export { type Recurrence, type RecurringTime, recurrences } from './due-times.ts';

/** Default time of day in New York: after the opening auction and the volatile first half-hour. */
export const DEFAULT_STANDING_ORDER_TIME = '10:00';

/** A New York time at which the market is open on every full trading day. */
const wallTime = z.lazy(() =>
  z.string().regex(/^(09:[3-5]\d|1[0-4]:[0-5]\d|15:[0-5]\d)$/, 'must be a New York time from 09:30 to 15:59'),
);

const recurringSchema = z.lazy(() => z.strictObject({ every: z.enum(recurrences), at: wallTime }));

const triggerSchema = z.lazy(() => z.strictObject({ price: z.enum(['below', 'above']), at: positiveDecimalString }));
export type PriceTrigger = z.output<typeof triggerSchema>;

export const standingOrderSchema = z.lazy(() =>
  z.strictObject({
    order: z.strictObject({
      symbol: symbolSchema.refine(
        (symbol) => symbolAssetClass(symbol) === 'us_equity',
        'must be a stock or fund: standing orders support nothing else',
      ),
      side: z.enum(sides),
      qty: positiveDecimalString.optional(),
      notional: positiveDecimalString.optional(),
      type: z.enum(['market', 'limit']),
      limit_price: positiveDecimalString.optional(),
      time_in_force: z.literal('day'),
    }),
    when: z.union([recurringSchema, triggerSchema]),
  }),
);
export type StandingOrderTerms = z.output<typeof standingOrderSchema>;

export const isRecurring = (when: StandingOrderTerms['when']): when is RecurringTime => 'every' in when;

export const standingOrderCadence = (when: StandingOrderTerms['when']): Cadence =>
  isRecurring(when) ? 'daily' : 'on_demand';

/** The `agent_jkt` of standing orders' mandates. No key has this thumbprint, so no caller can use such a mandate. */
export const GATEWAY_THUMBPRINT_PLACEHOLDER = createHash('sha256')
  .update('trade-agent: a mandate of the gateway itself')
  .digest('base64url');

export function toOrderRequest({ order }: StandingOrderTerms): OrderRequest {
  return { ...order, extended_hours: false };
}

interface MandateBounds {
  readonly standing?: StandingOrderTerms | undefined;
  readonly symbols: readonly string[];
  readonly sides: readonly string[];
  readonly order_types: readonly string[];
  readonly times_in_force: readonly string[];
  readonly cadence: Cadence;
  readonly orders_per_slot?: number | undefined;
  readonly max_orders: number;
  readonly max_order_notional: string;
  readonly not_before: string;
  readonly expires_at: string;
}

/** Checks that the mandate covers only its standing order. @throws {TradeAgentError} `invalid_order` */
export function checkStandingOrder(mandate: MandateBounds): void {
  const { standing, max_orders, max_order_notional, not_before, expires_at } = mandate;
  if (standing === undefined) return;
  const { order, when } = standing;
  checkOrder(toOrderRequest(standing));
  const just: readonly (readonly [field: keyof MandateBounds, value: string])[] = [
    ['symbols', order.symbol],
    ['sides', order.side],
    ['order_types', order.type],
    ['times_in_force', order.time_in_force],
  ];
  for (const [field, value] of just) {
    const said = mandate[field] as readonly string[];
    if (said.length === 1 && said[0] === value) continue;
    throw problem(
      `the mandate covers more than its standing order: ${field} must be only ${value}`,
      'Request a separate mandate for anything else.',
      field,
    );
  }
  const cadence = standingOrderCadence(when);
  if (mandate.cadence !== cadence || (mandate.orders_per_slot ?? 1) !== 1) {
    throw problem(`this standing order needs the cadence ${cadence}`, `Set cadence to ${cadence}.`, 'cadence');
  }
  if (order.notional !== undefined && new Dec(order.notional).gt(max_order_notional)) {
    throw problem(
      `the standing order is for ${formatDollarAmount(order.notional)}, above the maximum of ${formatDollarAmount(max_order_notional)}`,
      'Raise max_order_notional.',
      'max_order_notional',
    );
  }
  if (!isRecurring(when)) {
    if (max_orders === 1) return;
    throw problem('a standing order that waits for a price is placed only once', 'Set max_orders to 1.', 'max_orders');
  }
  if (nextDueTime(when, Date.parse(not_before)) >= Date.parse(expires_at)) {
    throw problem('the mandate ends before the order is due', 'Choose a later end (expires_at).', 'expires_at');
  }
}
