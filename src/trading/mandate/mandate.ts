import { z } from 'zod';
import { type MandateEnvelope, mandateEnvelopeSchema } from './envelope.ts';

/**
 * Only an `active` mandate covers orders. The states `expired` and `exhausted` follow from the mandate's terms and use.
 * Every other state results from an action. A mandate never becomes `active` again. To loosen a mandate, the owner
 * approves a new mandate that replaces it (`replaces`).
 */
const mandateStates = ['active', 'suspended', 'revoked', 'expired', 'exhausted', 'replaced'] as const;
export type MandateState = (typeof mandateStates)[number];

export type StoredMandateState = Exclude<MandateState, 'expired' | 'exhausted'>;

export const mandateTransitions: Readonly<Record<StoredMandateState, readonly StoredMandateState[]>> = {
  active: ['suspended', 'revoked', 'replaced'],
  suspended: ['revoked', 'replaced'],
  revoked: [],
  replaced: [],
};

/** Totals of the mandate's orders, except orders that are known to have had no effect. */
const mandateUseSchema = z.lazy(() =>
  z.object({
    /** Sum of the orders' worst cases, in dollars. When an order ends partly filled, its unspent part is subtracted. */
    total_notional: z.string(),
    /** Sum of the worst cases of today's orders (New York date), in dollars. */
    day_notional: z.string(),
    orders: z.number().int(),
  }),
);
export type MandateUse = z.output<typeof mandateUseSchema>;

export interface MandateWithUse {
  readonly terms: MandateEnvelope;
  readonly state: StoredMandateState;
  readonly used: MandateUse;
  readonly inSlot: number;
}

/** The state of a standing order. `stopped`: its mandate was revoked. `done`: it ended as its terms specify. */
const standingOrderStateSchema = z.lazy(() =>
  z.object({
    state: z.enum(['watching', 'done', 'stopped']),
    /**
     * When the next order is due, RFC 3339; in the past if the market was closed then. Absent if the order waits for a
     * price or has ended.
     */
    next_at: z.string().optional(),
    last: z
      .object({
        outcome: z.enum(['ordered', 'refused', 'missed', 'ended']),
        at: z.string(),
        /** The order's proposal ID, for `trade-agent approvals show`. */
        proposal: z.string().optional(),
        /** Code of the problem that prevented the order. `text` describes the problem in a sentence. */
        code: z.string().optional(),
        text: z.string().optional(),
      })
      .optional(),
  }),
);
export type StandingOrderState = z.output<typeof standingOrderStateSchema>;

export const mandateViewSchema = z.lazy(() =>
  z.object({
    id: z.string(),
    state: z.enum(mandateStates),
    terms: mandateEnvelopeSchema,
    used: mandateUseSchema,
    /** The current slot (a day, week or month). Absent for on-demand mandates. */
    slot: z.string().optional(),
    standing: standingOrderStateSchema.optional(),
    created_at: z.string(),
    updated_at: z.string(),
  }),
);
export type MandateView = z.output<typeof mandateViewSchema>;
