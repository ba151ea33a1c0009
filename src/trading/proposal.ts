import { z } from 'zod';
import { decimalString, positiveDecimalString } from './decimal.ts';
import { type MessageDraft, messageDraftSchema, sentMessageSchema } from './message.ts';
import { environments, orderDraftSchema, orderRequestSchema, slippageSchema, timesInForce } from './order.ts';
import { orderSchema } from './views.ts';

/*
 * Proposals as they cross the wire: what is asked of the gateway, and what it answers (docs/GATEWAY.md, "Proposals").
 * The gateway completes a request to its subject, asks the owner, and carries out what they approved.
 */

export const proposalKinds = ['order', 'message', 'cancel', 'replace', 'lift'] as const;
export type ProposalKind = (typeof proposalKinds)[number];

/** A proposal's life. Every state survives a restart; `denied` and `expired` are told apart. */
export const proposalStates = [
  'drafted',
  'requested',
  'approved',
  'executing',
  'executed',
  'denied',
  'expired',
  'cancelled',
  'blocked',
  'unknown',
] as const; // prettier-ignore
export type ProposalState = (typeof proposalStates)[number];

/** Seconds that a proposal may take: from its drafting until it can no longer be carried out. */
export const SHORTEST_TTL_S = 60;
export const LONGEST_TTL_S = 24 * 3600;
export const DEFAULT_TTL_S = 300;

/** Where a field of a request comes from; told by code that has read the conversation, never by the model. */
export const provenanceSources = ['user', 'default', 'computed', 'other'] as const;
export const provenanceSchema = z.lazy(() =>
  z.strictObject({
    /** By the request's field. */
    fields: z.record(
      z.string().regex(/^[a-z_]{1,32}$/),
      z.strictObject({
        source: z.enum(provenanceSources),
        /** For `computed` the rule's name, for `other` the tool, document or client. */
        from: printable(80).optional(),
      }),
    ),
    /** The person's own words that it was read from. */
    sentence: z.string().min(1).max(500).optional(),
    /** Outside text that had entered the conversation: `standard input`, a tool's name. */
    tainted_by: z.array(printable(80)).max(10).optional(),
  }),
);
export type Provenance = z.output<typeof provenanceSchema>;

/** What `message` asks for; the gateway adds `client_message_id` and `expires_at`. */
export const messageRequestSchema = z.lazy(() =>
  messageDraftSchema.unwrap().omit({ client_message_id: true, expires_at: true }),
);
export type MessageRequest = Omit<MessageDraft, 'client_message_id' | 'expires_at'>;

/** An order as it is proposed: the gateway adds account, reference price, identifiers. */
export const orderProposalSchema = z.lazy(() =>
  orderRequestSchema.extend({
    /** A fraction; the gateway's own default where it is left out. */
    max_slippage: slippageSchema.optional(),
    /** Refused where the account is another's: a profile that says paper must not trade live. */
    environment: z.enum(environments).optional(),
  }),
);
export type OrderProposal = z.output<typeof orderProposalSchema>;

/** The broker's id of an open order of one's own. */
const orderId = z.string().regex(/^[A-Za-z0-9-]{1,64}$/);

export const cancelRequestSchema = z.strictObject({ order_id: orderId });
export type CancelRequest = z.output<typeof cancelRequestSchema>;

/** What of an open order is to change (Alpaca's PATCH); at least one field beside the id. */
export const replaceRequestSchema = z.lazy(() =>
  z.strictObject({
    order_id: orderId,
    qty: positiveDecimalString.optional(),
    limit_price: positiveDecimalString.optional(),
    stop_price: positiveDecimalString.optional(),
    trail: positiveDecimalString.optional(),
    time_in_force: z.enum(timesInForce).optional(),
  }),
);
export type ReplaceRequest = z.output<typeof replaceRequestSchema>;

const requestBase = {
  /** Who or what asked, in the proposer's own words: `chat`, `schedule close-check`. */
  requested_by: z.lazy(() => printable(80)).optional(),
  provenance: provenanceSchema.optional(),
  ttl: z.number().int().min(SHORTEST_TTL_S).max(LONGEST_TTL_S).optional(),
};

/** The body of `POST /v1/proposals`. */
export const proposalRequestSchema = z.lazy(() =>
  z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.literal('order'), order: orderProposalSchema, ...requestBase }),
    z.strictObject({ kind: z.literal('message'), message: messageRequestSchema, ...requestBase }),
    z.strictObject({ kind: z.literal('cancel'), cancel: cancelRequestSchema, ...requestBase }),
    z.strictObject({ kind: z.literal('replace'), replace: replaceRequestSchema, ...requestBase }),
    z.strictObject({ kind: z.literal('lift'), lift: z.strictObject({}), ...requestBase }),
  ]),
);
export type ProposalRequest = z.output<typeof proposalRequestSchema>;
export type ProposalRequestInput = z.input<typeof proposalRequestSchema>;

/** The header that makes a proposal repeatable: the same key and body are the same proposal. */
export const idempotencyKeySchema = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/);

/** The worst that can come of it, as a decimal string of dollars and a sentence. */
export const worstCaseSchema = z.object({
  /** The most it can cost (buy), or the least it can bring (sell); null where nothing bounds it, or no money moves. */
  cash: decimalString.nullable(),
  /** Dollars a share that it can't go beyond; null where nothing bounds it. */
  price: decimalString.nullable(),
  text: z.string(),
});
export type WorstCase = z.output<typeof worstCaseSchema>;

/** An open order that is to be cancelled: what the person sees of it, and what the gateway cancels. */
export const cancelSubjectSchema = z.lazy(() =>
  z.strictObject({
    account: z.string(),
    environment: z.enum(environments),
    order: orderSchema,
    /** The order protects a position: without it more can be lost. */
    protects: z.boolean(),
    client_cancel_id: z.string(),
    expires_at: z.iso.datetime({ precision: 0 }),
  }),
);
export type CancelSubject = z.output<typeof cancelSubjectSchema>;

/** An open order, and the order that is to stand in its place. */
export const replaceSubjectSchema = z.lazy(() =>
  z.strictObject({
    order: orderSchema,
    /** Only the fields that change. */
    changes: z.strictObject({
      qty: positiveDecimalString.optional(),
      limit_price: positiveDecimalString.optional(),
      stop_price: positiveDecimalString.optional(),
      trail: positiveDecimalString.optional(),
      time_in_force: z.enum(timesInForce).optional(),
    }),
    /** The order as it is after the change, whole: what the worst case is of. */
    draft: orderDraftSchema,
  }),
);
export type ReplaceSubject = z.output<typeof replaceSubjectSchema>;

/** Trading that a halt stopped is to go on. */
export const liftSubjectSchema = z.lazy(() =>
  z.strictObject({
    halted_at: z.string(),
    client_lift_id: z.string(),
    expires_at: z.iso.datetime({ precision: 0 }),
  }),
);
export type LiftSubject = z.output<typeof liftSubjectSchema>;

const viewBase = {
  id: z.string(),
  state: z.enum(proposalStates),
  /** Four Crockford characters, drawn at random by the gateway: the same on terminal and phone. */
  code: z.string(),
  worst_case: worstCaseSchema.nullable(),
  /** Sentences for the person: the limit is far from the price, say. */
  warnings: z.array(z.string()),
  created_at: z.string(),
  /** RFC 3339, UTC to the second. */
  expires_at: z.string(),
  updated_at: z.string(),
  requested_by: z.string().nullable(),
  /** The OAuth client that proposed it. */
  client: z.string(),
  /** How often the same was proposed within the hour, this one counted; absent for the first. */
  again: z.number().int().optional(),
  provenance: provenanceSchema.optional(),
  approval: z.object({
    method: z.string(),
    /** Where the person decides, where that is a page. */
    phone_url: z.string().optional(),
  }),
  /** Why it ended as it did, or what it waits for: the gateway's problem code, and a sentence. */
  reason: z
    .object({
      code: z.string(),
      text: z.string(),
      /** The problem's own members: `reason`, `reasons`, `limit`, `value`, `broker_message`. */
      members: z.record(z.string(), z.unknown()).optional(),
    })
    .optional(),
};

/** A proposal as the gateway tells of it. */
export const proposalSchema = z.lazy(() =>
  z.discriminatedUnion('kind', [
    z.object({
      kind: z.literal('order'),
      ...viewBase,
      subject: orderDraftSchema,
      /** The order at the broker, once there is one. */
      result: orderSchema.optional(),
    }),
    z.object({
      kind: z.literal('message'),
      ...viewBase,
      subject: messageDraftSchema,
      result: sentMessageSchema.optional(),
    }),
    z.object({
      kind: z.literal('cancel'),
      ...viewBase,
      subject: cancelSubjectSchema,
      result: orderSchema.optional(),
    }),
    z.object({
      kind: z.literal('replace'),
      ...viewBase,
      subject: replaceSubjectSchema,
      /** The order that replaced the earlier one. */
      result: orderSchema.optional(),
    }),
    z.object({
      kind: z.literal('lift'),
      ...viewBase,
      subject: liftSubjectSchema,
      result: z.object({ lifted_at: z.string() }).optional(),
    }),
  ]),
);
export type Proposal = z.output<typeof proposalSchema>;

/** Whether nothing more can come of it. */
export function isSettledState(state: ProposalState): boolean {
  return ['executed', 'denied', 'expired', 'cancelled', 'blocked'].includes(state);
}

/** Whether it may be on its way or done, with nobody having said so yet. */
export function isUnderWayState(state: ProposalState): boolean {
  return state === 'executing' || state === 'unknown';
}

/** One line of printable ASCII. */
function printable(longest: number) {
  return z.string().regex(new RegExp(`^[\\x20-\\x7e]{1,${longest}}$`), 'must be printable ASCII');
}
