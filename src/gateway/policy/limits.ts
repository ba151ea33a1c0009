import { z } from 'zod';
import { dollars } from '../../trading/amounts.ts';
import { Dec, positiveDecimalString } from '../../trading/decimal.ts';
import { newYorkDate, newYorkInstant } from '../../trading/new-york-time.ts';
import type { OrderDraft } from '../../trading/order.ts';
import { Refusal } from '../../trading/refusal.ts';
import { boundedOrder } from '../../trading/worst-case.ts';
import type { OrderPolicy } from './policy.ts';

/** What `limits.yaml` says: how far anybody's orders may go. What is left out is not limited. */
export const limitsSchema = z.strictObject({
  version: z.literal(1, { error: 'must be 1' }).default(1),
  /** Dollars that one order may come to. */
  max_order_notional: z
    .string({ error: 'must be an amount in quotes, such as "1000"' })
    .pipe(positiveDecimalString)
    .optional(),
  /** How many orders one person may send a day, New York's. */
  max_day_orders: z.number().int().min(1).max(100_000).optional(),
});
export type Limits = z.output<typeof limitsSchema>;

/** What a new home begins with. */
export function defaultLimits(): Limits {
  return { version: 1, max_order_notional: '1000', max_day_orders: 20 };
}

/** A rule for each limit that is set. */
export function limitPolicies({ max_order_notional, max_day_orders }: Partial<Limits> = {}): OrderPolicy[] {
  return [
    ...(max_order_notional === undefined ? [] : [orderNotionalWithin(max_order_notional)]),
    ...(max_day_orders === undefined ? [] : [dayOrdersWithin(max_day_orders)]),
  ];
}

/** When the day of an instant began in New York, milliseconds since the epoch. */
export function dayBegan(now: number): number {
  return newYorkInstant(newYorkDate(now), '00:00');
}

function dayOrdersWithin(limit: number): OrderPolicy {
  return async ({ sentToday }) => {
    const sent = await sentToday();
    if (sent >= limit) throw tooManyToday(limit, sent);
  };
}

/** @param sent those before */
export function tooManyToday(limit: number, sent: number): Refusal {
  return denied(
    'ORDERS_EXCEED_MAX_PER_DAY',
    `${sent} orders went out today already, and ${limit} a day may here`,
    'Wait until tomorrow, New York’s time, or have the gateway’s owner raise max_day_orders in limits.yaml.',
    { limit: String(limit), value: String(sent) },
  );
}

function orderNotionalWithin(limit: string): OrderPolicy {
  return ({ draft }) => {
    const value = orderNotional(draft);
    if (value?.lte(limit)) return;
    const amount = value?.toFixed(2, Dec.ROUND_UP) ?? null;
    throw denied(
      'NOTIONAL_EXCEEDS_MAX_PER_ORDER',
      amount === null
        ? `nothing bounds what the order can come to, and one order may come to ${dollars(limit)} here`
        : `the order can come to ${dollars(amount)}, and one order may come to ${dollars(limit)} here`,
      'Propose a smaller order, or have the gateway’s owner raise max_order_notional in limits.yaml.',
      { limit: new Dec(limit).toFixed(2), value: amount },
    );
  };
}

function denied(
  reason: string,
  detail: string,
  hint: string,
  than: { readonly limit: string; readonly value: string | null },
): Refusal {
  const members = { reason, reasons: [reason], ...than };
  return new Refusal(403, 'policy_denied', detail, { hint, members, challenge: {} });
}

/**
 * The dollars that an order counts for: a purchase at the most that it can cost, a sale at the reference price or its own,
 * whichever is higher, so that a low limit makes no large sale small. Undefined for a purchase that nothing bounds.
 */
function orderNotional(draft: OrderDraft): Dec | undefined {
  const { side, qty, notional, limit_price, reference_price } = boundedOrder(draft);
  if (notional !== undefined) return new Dec(notional);
  if (side === 'buy') return limit_price === undefined ? undefined : new Dec(qty ?? 0).times(limit_price);
  return new Dec(qty ?? 0).times(Dec.max(reference_price, limit_price ?? 0));
}
