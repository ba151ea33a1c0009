import { createHash } from 'node:crypto';
import { z } from 'zod';
import { dollars } from '../amounts.ts';
import { assetClassOf } from '../asset-class.ts';
import { Dec, positiveDecimalString } from '../decimal.ts';
import { checkOrder, type OrderRequest, sides, symbolSchema } from '../order.ts';
import { orderProblem as problem } from '../order-problem.ts';
import type { Cadence } from './cadence.ts';
import { nextDue, type Recurring, standingDays } from './standing-due.ts';

export { type Recurring, type StandingDay, standingDays } from './standing-due.ts';

/** When nothing else is said, New York: after the opening auction and the first half-hour. */
export const STANDING_TIME = '10:00';

/** Within the regular session, so that the market is open then on all but half-days. */
const wallTime = z.lazy(() =>
  z
    .string()
    .regex(
      /^(09:[3-5]\d|1[0-4]:[0-5]\d|15:[0-5]\d)$/,
      'must be a time of the session in New York, 09:30 to 15:59',
    ),
);

const recurringSchema = z.lazy(() => z.strictObject({ every: z.enum(standingDays), at: wallTime }));

const triggerSchema = z.lazy(() =>
  z.strictObject({ price: z.enum(['below', 'above']), at: positiveDecimalString }),
);
export type Trigger = z.output<typeof triggerSchema>;

export const standingSchema = z.lazy(() =>
  z.strictObject({
    order: z.strictObject({
      symbol: symbolSchema.refine(
        (symbol) => assetClassOf(symbol) === 'us_equity',
        'must be a stock or a fund: the gateway orders nothing else by itself',
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
export type Standing = z.output<typeof standingSchema>;

export const isRecurring = (when: Standing['when']): when is Recurring => 'every' in when;

/** How often its mandate may be used: once a day, or, at a price, once. */
export const standingCadence = (when: Standing['when']): Cadence =>
  isRecurring(when) ? 'daily' : 'on_demand';

/** Replaces a program's thumbprint. No key can have it, so no caller can use the gateway's own mandates. */
export const GATEWAY_KEY = createHash('sha256')
  .update('trade-agent: a mandate of the gateway itself')
  .digest('base64url');

export function standingRequest({ order }: Standing): OrderRequest {
  return { ...order, extended_hours: false };
}

interface Bounds {
  readonly standing?: Standing | undefined;
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

/** The gateway's own mandate covers its standing order and nothing else. @throws {TradeAgentError} `invalid_order` */
export function checkStanding(mandate: Bounds): void {
  const { standing, max_orders, max_order_notional, not_before, expires_at } = mandate;
  if (standing === undefined) return;
  const { order, when } = standing;
  checkOrder(standingRequest(standing));
  const just: readonly (readonly [field: keyof Bounds, value: string])[] = [
    ['symbols', order.symbol],
    ['sides', order.side],
    ['order_types', order.type],
    ['times_in_force', order.time_in_force],
  ];
  for (const [field, value] of just) {
    const said = mandate[field] as readonly string[];
    if (said.length === 1 && said[0] === value) continue;
    throw problem(
      `the mandate is for more than its standing order: ${field} must be ${value} alone`,
      'Ask for a mandate of its own for anything else.',
      field,
    );
  }
  const cadence = standingCadence(when);
  if (mandate.cadence !== cadence || (mandate.orders_per_slot ?? 1) !== 1) {
    throw problem(`a standing order like this has the cadence ${cadence}`, 'Write that.', 'cadence');
  }
  if (order.notional !== undefined && new Dec(order.notional).gt(max_order_notional)) {
    throw problem(
      `it orders ${dollars(order.notional)}, and one order may come to ${dollars(max_order_notional)}`,
      'Give a max_order_notional of that at least.',
      'max_order_notional',
    );
  }
  if (!isRecurring(when)) {
    if (max_orders === 1) return;
    throw problem('a price is waited for once', 'Ask for one order (max_orders 1).', 'max_orders');
  }
  if (nextDue(when, Date.parse(not_before)) >= Date.parse(expires_at)) {
    throw problem('the mandate is over before the order is due', 'Give a later expires_at.', 'expires_at');
  }
}
