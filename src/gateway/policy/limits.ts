import { z } from 'zod';
import { dollars } from '../../trading/amounts.ts';
import { Dec, positiveDecimalString } from '../../trading/decimal.ts';
import type { OrderDraft } from '../../trading/order.ts';
import { Refusal } from '../../trading/refusal.ts';
import { boundedOrder } from '../../trading/worst-case.ts';
import type { OrderPolicy } from './policy.ts';

/** What `limits.yaml` says: how far orders of any account may go. What is left out is not limited. */
export const limitsSchema = z.strictObject({
  version: z.literal(1, { error: 'must be 1' }),
  /** Dollars that one order may come to. */
  max_order_notional: z
    .string({ error: 'must be an amount in quotes, such as "1000"' })
    .pipe(positiveDecimalString)
    .optional(),
});
export type Limits = z.output<typeof limitsSchema>;

/** What a new home begins with. */
export function defaultLimits(): Limits {
  return { version: 1, max_order_notional: '1000' };
}

/** A rule for each limit that is set. */
export function limitPolicies({ max_order_notional }: Limits): OrderPolicy[] {
  return max_order_notional === undefined ? [] : [orderNotionalWithin(max_order_notional)];
}

function orderNotionalWithin(limit: string): OrderPolicy {
  return ({ draft }) => {
    const value = orderNotional(draft);
    if (value?.lte(limit)) return;
    const reason = 'NOTIONAL_EXCEEDS_MAX_PER_ORDER';
    const amount = value?.toFixed(2, Dec.ROUND_UP) ?? null;
    throw new Refusal(
      403,
      'policy_denied',
      amount === null
        ? `nothing bounds what the order can come to, and one order may come to ${dollars(limit)} here`
        : `the order can come to ${dollars(amount)}, and one order may come to ${dollars(limit)} here`,
      {
        hint: 'Propose a smaller order, or have the gateway’s owner raise max_order_notional in limits.yaml.',
        members: { reason, reasons: [reason], limit: new Dec(limit).toFixed(2), value: amount },
        challenge: {},
      },
    );
  };
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
