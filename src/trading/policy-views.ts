import { z } from 'zod';
import { environments } from './order.ts';

/**
 * `reducing`: nothing is bought, and no more sold than is held. `halted`: nothing is traded. A cancel always passes. Anybody
 * of the account takes it down; only its owner's approval takes it up again.
 */
export const tradingStates = ['active', 'reducing', 'halted'] as const;
export type TradingState = (typeof tradingStates)[number];

/*
 * The owner's rules as the gateway tells of them (docs/guide/POLICY.md). Read leniently: another version's gateway may say more.
 */

const json = z.lazy(() => z.record(z.string(), z.unknown()));
const texts = z.lazy(() => z.record(z.string(), z.string()));

/** The rules that an account's orders are held to, and what they have counted. */
export const policyViewSchema = z.lazy(() =>
  z.object({
    account: z.string(),
    environment: z.enum(environments),
    /** base64url(SHA-256) of all rules of the gateway. */
    digest: z.string(),
    trading: z.object({
      state: z.enum(tradingStates),
      since: z.string().optional(),
      /** When it ends by itself. */
      until: z.string().optional(),
    }),
    /** The account's own, or those of all that have none. */
    limits: json,
    /** What is used since the day began in New York, and what is open: the facts' own names. */
    today: json,
    /** The owner's rule files, and a firm's, in Cedar, as far as they are about this account. */
    policies: texts,
    firm: texts,
    /** What is wrong with the rules: nothing is traded until that is mended. */
    problem: z.string().optional(),
  }),
);
export type PolicyView = z.output<typeof policyViewSchema>;

/** What is decided about an order, by the rules as they are. */
export const decisionSchema = z.lazy(() =>
  z.object({
    effect: z.enum(['allow', 'ask', 'deny']),
    /** All that stand against it, or make the tap needed; the first is the one that is told first. */
    reasons: z.array(z.string()),
    /** A sentence for each, in the same order. */
    texts: z.array(z.string()),
    limit: z.string().optional(),
    value: z.string().nullable().optional(),
    hint: z.string().optional(),
    policy: z.string(),
  }),
);
export type DecisionView = z.output<typeof decisionSchema>;

/** What became of a change that was tighter: it holds. */
export const policyChangedSchema = z.lazy(() =>
  z.object({ previous: z.string(), digest: z.string(), changes: z.array(z.string()) }),
);
export type PolicyChangedView = z.output<typeof policyChangedSchema>;

/** What was decided about an order, as it was recorded: every refusal, and every order that went out. */
export const recordedDecisionSchema = z.lazy(() =>
  z.object({
    at: z.string(),
    /** Rises with each. */
    id: z.int(),
    client_order_id: z.string(),
    sub: z.string(),
    client: z.string(),
    account: z.string(),
    action: z.string(),
    /** `proposal`: before the phone was to ring; `order`: when it was to go out. */
    stage: z.enum(['proposal', 'order']),
    effect: z.enum(['allow', 'deny']),
    reasons: z.array(z.string()),
    texts: z.array(z.string()),
    limit: z.string().optional(),
    value: z.string().nullable().optional(),
    policy: z.string(),
    /** All that was known; no token is among it. */
    facts: json,
  }),
);
export type RecordedDecision = z.output<typeof recordedDecisionSchema>;
