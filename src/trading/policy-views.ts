import { z } from 'zod';
import { environments } from './order.ts';
import { worstCaseSchema } from './proposal.ts';

/**
 * `reducing`: no buys, and no sale of more than is held. `halted`: no trades. Cancellations are always allowed. Anyone
 * with access may tighten the state, but loosening it needs the owner's approval.
 */
export const tradingStates = ['active', 'reducing', 'halted'] as const;
export type TradingState = (typeof tradingStates)[number];

/*
 * The owner's rules as the gateway returns them (docs/guide/POLICY.md). Unknown members are ignored, because a newer
 * gateway may add some.
 */

const jsonRecord = z.lazy(() => z.record(z.string(), z.unknown()));
const textRecord = z.lazy(() => z.record(z.string(), z.string()));

export const policyViewSchema = z.lazy(() =>
  z.object({
    account: z.string(),
    environment: z.enum(environments),
    /** base64url(SHA-256) of all the gateway's rules. */
    digest: z.string(),
    trading: z.object({
      state: z.enum(tradingStates),
      since: z.string().optional(),
      until: z.string().optional(),
    }),
    limits: jsonRecord,
    /** Totals since midnight in New York and totals of open orders, by name. */
    today: jsonRecord,
    /** Cedar files that apply to this account. `firm` contains the files of the firm that runs the gateway. */
    policies: textRecord,
    firm: textRecord,
    problem: z.string().optional(),
  }),
);
export type PolicyView = z.output<typeof policyViewSchema>;

export const decisionViewSchema = z.lazy(() =>
  z.object({
    effect: z.enum(['allow', 'ask', 'deny']),
    reasons: z.array(z.string()),
    texts: z.array(z.string()),
    limit: z.string().optional(),
    value: z.string().nullable().optional(),
    hint: z.string().optional(),
    /** The code of the problem with which the gateway would refuse the order, unless that code is `policy_denied`. */
    problem: z.string().optional(),
    policy: z.string(),
    account: z.string(),
    environment: z.enum(environments),
    worst_case: worstCaseSchema,
    warnings: z.array(z.string()),
    /** The order's effects on the account, by label, as an approval of the order shows them. */
    shows: textRecord,
  }),
);
export type DecisionView = z.output<typeof decisionViewSchema>;

export const policyChangeViewSchema = z.lazy(() =>
  z.object({ previous: z.string(), digest: z.string(), changes: z.array(z.string()) }),
);
export type PolicyChangeView = z.output<typeof policyChangeViewSchema>;

export const recordedDecisionSchema = z.lazy(() =>
  z.object({
    at: z.string(),
    id: z.int(),
    client_order_id: z.string(),
    sub: z.string(),
    client: z.string(),
    account: z.string(),
    action: z.string(),
    /** `proposal`: checked before asking for approval. `order`: checked before sending the order. */
    stage: z.enum(['proposal', 'order']),
    effect: z.enum(['allow', 'deny']),
    reasons: z.array(z.string()),
    texts: z.array(z.string()),
    limit: z.string().optional(),
    value: z.string().nullable().optional(),
    policy: z.string(),
    facts: jsonRecord,
  }),
);
export type RecordedDecision = z.output<typeof recordedDecisionSchema>;
