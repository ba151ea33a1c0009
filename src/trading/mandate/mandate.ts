import { z } from 'zod';
import { type MandateEnvelope, mandateEnvelopeSchema } from './envelope.ts';

/**
 * Only an `active` mandate covers orders. `expired` and `exhausted` follow from its terms and use, the others from
 * someone's action. Nothing leads back to `active`: loosening takes a new mandate (`replaces`) with its own
 * approval.
 */
const mandateStates = ['active', 'suspended', 'revoked', 'expired', 'exhausted', 'replaced'] as const;
export type MandateState = (typeof mandateStates)[number];

/** The states that are kept; the others are told from terms and use. */
export type KeptMandateState = Exclude<MandateState, 'expired' | 'exhausted'>;

/** What of a kept state may follow on which; what isn't here can't happen. */
export const mandateTransitions: Readonly<Record<KeptMandateState, readonly KeptMandateState[]>> = {
  active: ['suspended', 'revoked', 'replaced'],
  suspended: ['revoked', 'replaced'],
  revoked: [],
  replaced: [],
};

/** What orders under it have come to; those that certainly came to nothing are not counted. */
const mandateUseSchema = z.lazy(() =>
  z.object({
    /** Dollars, at each order's worst; what a final partial fill left unspent is given back. */
    total_notional: z.string(),
    /** Dollars of today, New York's. */
    day_notional: z.string(),
    orders: z.number().int(),
  }),
);
export type MandateUse = z.output<typeof mandateUseSchema>;

export interface CountedTerms {
  readonly terms: MandateEnvelope;
  readonly state: KeptMandateState;
  readonly used: MandateUse;
  /** Orders of the slot, symbol and side that are asked about. */
  readonly inSlot: number;
}

/** How a standing order stands. `stopped`: its mandate was taken back; `done`: it has ended by itself. */
const standingNowSchema = z.lazy(() =>
  z.object({
    state: z.enum(['watching', 'done', 'stopped']),
    /** When it is due next, or was due and waits for the market to open; absent where it waits for a price, or is over. */
    next_at: z.string().optional(),
    last: z
      .object({
        outcome: z.enum(['ordered', 'refused', 'missed', 'ended']),
        at: z.string(),
        /** The order's proposal, for `trade-agent approvals show`. */
        proposal: z.string().optional(),
        /** Why not: the problem's code, and a sentence. */
        code: z.string().optional(),
        text: z.string().optional(),
      })
      .optional(),
  }),
);
export type StandingNow = z.output<typeof standingNowSchema>;

export const mandateViewSchema = z.lazy(() =>
  z.object({
    id: z.string(),
    state: z.enum(mandateStates),
    terms: mandateEnvelopeSchema,
    used: mandateUseSchema,
    /** The slot of now; absent where it is used on demand. */
    slot: z.string().optional(),
    standing: standingNowSchema.optional(),
    created_at: z.string(),
    updated_at: z.string(),
  }),
);
export type MandateView = z.output<typeof mandateViewSchema>;
