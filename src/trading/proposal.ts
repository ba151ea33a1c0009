import { z } from 'zod';
import { decimalString } from './decimal.ts';
import {
  kindPayload,
  kinds,
  type ProposalKind,
  proposalKinds,
  type RequestInputOf,
  type RequestOf,
  type ResultOf,
  type SubjectOf,
} from './kinds/kinds.ts';
import { slotPattern } from './mandate/cadence.ts';
import { mandateIdSchema } from './mandate/envelope.ts';
import { environments } from './order.ts';
import {
  isFinalState,
  isInProgressState,
  isSettledState,
  type ProposalState,
  proposalStates,
} from './proposal-state.ts';

/*
 * The JSON of proposals (docs/operate/GATEWAY.md, "Proposals"). From a request, the gateway builds a complete subject,
 * asks the owner to approve the subject, and executes it once approved. The directory kinds/ defines what differs
 * between kinds.
 */

export {
  isFinalState,
  isInProgressState,
  isSettledState,
  type ProposalKind,
  type ProposalState,
  proposalKinds,
  proposalStates,
};

/** Bounds on a proposal's lifetime in seconds, from its creation until it can no longer be executed. */
export const MIN_TTL_S = 60;
export const MAX_TTL_S = 24 * 3600;
export const DEFAULT_TTL_S = 300;

/** The sources of a request's fields. Set by code that reads the conversation, never by the model. */
const provenanceSources = ['user', 'default', 'computed', 'other'] as const;
/** Prefix of `from` if a trade-agent client forwards a request from someone else's agent. */
export const MCP_CLIENT_PREFIX = 'MCP client ';
export const provenanceSchema = z.lazy(() =>
  z.strictObject({
    fields: z.record(
      z.string().regex(/^[a-z_]{1,32}$/),
      z.strictObject({
        source: z.enum(provenanceSources),
        /** For `computed`, the name of the rule. For `other`, the tool, document or client. */
        from: printableText(80).optional(),
      }),
    ),
    sentence: z.string().min(1).max(500).optional(),
    /** Sources of untrusted text in the conversation: `standard input`, or a tool's name. */
    tainted_by: z.array(printableText(80)).max(10).optional(),
  }),
);
export type Provenance = z.output<typeof provenanceSchema>;

const requestShape = () => ({
  /** The origin of the request, as the proposer names it: `chat`, `schedule close-check`. */
  requested_by: z.lazy(() => printableText(80)).optional(),
  provenance: provenanceSchema.optional(),
  /** The `sub` of the account's owner, if that is not the proposer. Only the owner receives the approval request. */
  for: z.string().min(1).max(256).optional(),
  ttl: z.number().int().min(MIN_TTL_S).max(MAX_TTL_S).optional(),
});

const mandateShape = () => ({
  /** A mandate's ID, or `any` for any of the proposer's mandates. An order that no mandate covers needs approval. */
  mandate: z.union([z.literal('any'), mandateIdSchema]).optional(),
  /** The mandate's period that the order is for. A mandate covers an order only in its current period. */
  slot: z.string().regex(slotPattern, 'must be a day, a week or a month such as 2026-W48').optional(),
  /** Set to refuse an order that no mandate covers, instead of asking for approval. */
  approval: z.literal('mandate').optional(),
});

type RequestBase = z.output<z.ZodObject<ReturnType<typeof requestShape>>>;
export type MandateReference = z.output<z.ZodObject<ReturnType<typeof mandateShape>>>;
export type ProposalRequest = {
  [K in ProposalKind]: RequestBase & { kind: K } & Record<K, RequestOf<K>> &
    (K extends 'order' ? MandateReference : unknown);
}[ProposalKind];
export type ProposalRequestInput = {
  [K in ProposalKind]: RequestBase & { kind: K } & Record<K, RequestInputOf<K>> &
    (K extends 'order' ? MandateReference : unknown);
}[ProposalKind];

export const proposalRequestSchema = z.lazy(() => {
  const base = requestShape();
  return unionOfKinds<ProposalRequest, ProposalRequestInput>(({ name, requestSchema, mandate }) =>
    z.strictObject({
      kind: z.literal(name),
      [name]: requestSchema,
      ...base,
      ...(mandate === undefined ? {} : mandateShape()),
    }),
  );
});

export function proposalRequestBody(request: ProposalRequest): Record<string, unknown> {
  return { ...(kindPayload(request) as object) };
}

export function mandateReference(request: ProposalRequest | ProposalRequestInput): MandateReference | undefined {
  if (request.kind !== 'order') return undefined;
  const { mandate, slot, approval } = request;
  return mandate === undefined && approval === undefined ? undefined : { mandate, slot, approval };
}

/** The `Idempotency-Key` header. The same key and body always return the same proposal. */
export const idempotencyKeySchema = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/);

export const worstCaseSchema = z.lazy(() =>
  z.object({
    /** Maximum cost of a buy or minimum proceeds of a sell. Null if unbounded or if no money moves. */
    cash: decimalString.nullable(),
    /** The worst price, in dollars a share. Null if unbounded. */
    price: decimalString.nullable(),
    text: z.string(),
  }),
);
export type WorstCase = z.output<typeof worstCaseSchema>;

/** `typed`: the person types the code on the phone (number matching). If absent, the person compares the codes. */
export const codeEntrySchema = z.literal('typed');
export type CodeEntry = z.output<typeof codeEntrySchema>;

/** The digest of the rules that allowed the order to be proposed. The approval covers this digest. */
export const rulesDigestSchema = z.string().regex(/^[A-Za-z0-9_-]{43}$/);

const proposalShape = () => ({
  id: z.string(),
  state: z.enum(proposalStates),
  /** Four random characters from the gateway (Crockford base 32), shown on both the terminal and the phone. */
  code: z.string(),
  code_entry: codeEntrySchema.optional(),
  policy: rulesDigestSchema.optional(),
  worst_case: worstCaseSchema.nullable(),
  warnings: z.array(z.string()),
  /** Extra lines for the phone, by label, such as the company and the effect on cash and position. */
  shows: z.record(z.string(), z.string()).optional(),
  created_at: z.string(),
  expires_at: z.string(),
  updated_at: z.string(),
  requested_by: z.string().nullable(),
  client: z.string(),
  for: z.string().optional(),
  proposed_by: z.string().optional(),
  /** The number of identical proposals within the last hour, including this proposal. Absent for the first. */
  again: z.number().int().optional(),
  provenance: provenanceSchema.optional(),
  approval: z.object({
    method: z.string(),
    phone_url: z.string().optional(),
    /** The second approver, and whether the owner has approved. Set if a second approver is needed. */
    second: z.object({ person: z.string(), owner_approved: z.boolean() }).optional(),
  }),
  reason: z
    .object({
      code: z.string(),
      text: z.string(),
      members: z.record(z.string(), z.unknown()).optional(),
    })
    .optional(),
});

export type Proposal = {
  [K in ProposalKind]: z.output<z.ZodObject<ReturnType<typeof proposalShape>>> & {
    kind: K;
    subject: SubjectOf<K>;
    result?: ResultOf<K> | undefined;
  };
}[ProposalKind];

export const proposalSchema = z.lazy(() => {
  const base = proposalShape();
  return unionOfKinds<Proposal>(({ name, subjectSchema, resultSchema }) =>
    z.object({ kind: z.literal(name), ...base, subject: subjectSchema, result: resultSchema.optional() }),
  );
});

/**
 * Returns a union with one schema per kind. TypeScript can't infer its type from the table, so callers pass it as a
 * type argument.
 */
function unionOfKinds<Output, Input = Output>(
  make: (kind: (typeof kinds)[ProposalKind]) => z.ZodObject,
): z.ZodType<Output, Input> {
  const [first, ...rest] = Object.values(kinds).map(make);
  if (first === undefined) throw new TypeError('no kinds of proposals are defined');
  return z.discriminatedUnion('kind', [first, ...rest]) as unknown as z.ZodType<Output, Input>;
}

function printableText(longest: number) {
  return z.string().regex(new RegExp(`^[\\x20-\\x7e]{1,${longest}}$`), 'must be printable ASCII');
}

const accountShape = z.object({ account: z.string(), environment: z.enum(environments) });
const schema = z.lazy(() => z.union([accountShape, z.object({ draft: accountShape })]));

/** Returns the account and environment of a proposal's subject. A replacement contains both in its draft. */
export function subjectAccount(subject: unknown): z.output<typeof accountShape> | undefined {
  const about = schema.safeParse(subject).data;
  return about !== undefined && 'draft' in about ? about.draft : about;
}
