import { z } from 'zod';
import { decimalString } from './decimal.ts';
import {
  kinds,
  type ProposalKind,
  proposalKinds,
  type RequestInputOf,
  type RequestOf,
  type ResultOf,
  type SubjectOf,
  underKind,
} from './kinds/kinds.ts';
import { slotPattern } from './mandate/cadence.ts';
import { mandateIdSchema } from './mandate/envelope.ts';
import { environments } from './order.ts';
import {
  isFinalState,
  isSettledState,
  isUnderWayState,
  type ProposalState,
  proposalStates,
} from './proposal-state.ts';

/*
 * Proposals on the wire (docs/operate/GATEWAY.md, "Proposals"): the gateway completes a request to its subject, asks
 * the owner, and carries out what they approved. What differs by kind is in kinds/.
 */

export {
  isFinalState,
  isSettledState,
  isUnderWayState,
  type ProposalKind,
  type ProposalState,
  proposalKinds,
  proposalStates,
};

/** Seconds that a proposal may take: from its drafting until it can no longer be carried out. */
export const SHORTEST_TTL_S = 60;
export const LONGEST_TTL_S = 24 * 3600;
export const DEFAULT_TTL_S = 300;

/** Where a field of a request comes from; told by code that has read the conversation, never by the model. */
const provenanceSources = ['user', 'default', 'computed', 'other'] as const;
/** What `from` begins with where one of our own clients passes on what somebody else's agent asked for. */
export const PASSED_ON = 'MCP client ';
export const provenanceSchema = z.lazy(() =>
  z.strictObject({
    fields: z.record(
      z.string().regex(/^[a-z_]{1,32}$/),
      z.strictObject({
        source: z.enum(provenanceSources),
        /** For `computed` the rule's name, for `other` the tool, document or client. */
        from: printable(80).optional(),
      }),
    ),
    sentence: z.string().min(1).max(500).optional(),
    /** Outside text that had entered the conversation: `standard input`, a tool's name. */
    tainted_by: z.array(printable(80)).max(10).optional(),
  }),
);
export type Provenance = z.output<typeof provenanceSchema>;

const requestBase = () => ({
  /** Who or what asked, in the proposer's own words: `chat`, `schedule close-check`. */
  requested_by: z.lazy(() => printable(80)).optional(),
  provenance: provenanceSchema.optional(),
  /** The owner of the account that it is for, by their `sub`, where that is somebody else: their phone rings, no other. */
  for: z.string().min(1).max(256).optional(),
  ttl: z.number().int().min(SHORTEST_TTL_S).max(LONGEST_TTL_S).optional(),
});

const underMandate = () => ({
  /** A mandate's id, or whichever of one's own covers it. What none covers is asked about. */
  mandate: z.union([z.literal('any'), mandateIdSchema]).optional(),
  /** For which of the mandate's times: the present one, or it is outside. */
  slot: z.string().regex(slotPattern, 'must be a day, a week or a month such as 2026-W48').optional(),
  /** Never ask: what no mandate covers is refused. */
  approval: z.literal('mandate').optional(),
});

type RequestBase = z.output<z.ZodObject<ReturnType<typeof requestBase>>>;
export type AskedUnder = z.output<z.ZodObject<ReturnType<typeof underMandate>>>;
export type ProposalRequest = {
  [K in ProposalKind]: RequestBase & { kind: K } & Record<K, RequestOf<K>> &
    (K extends 'order' ? AskedUnder : unknown);
}[ProposalKind];
export type ProposalRequestInput = {
  [K in ProposalKind]: RequestBase & { kind: K } & Record<K, RequestInputOf<K>> &
    (K extends 'order' ? AskedUnder : unknown);
}[ProposalKind];

export const proposalRequestSchema = z.lazy(() => {
  const base = requestBase();
  return oneOfEachKind<ProposalRequest, ProposalRequestInput>(({ name, requestSchema, mandate }) =>
    z.strictObject({
      kind: z.literal(name),
      [name]: requestSchema,
      ...base,
      ...(mandate === undefined ? {} : underMandate()),
    }),
  );
});

export function requestBody(request: ProposalRequest): Record<string, unknown> {
  return { ...(underKind(request) as object) };
}

export function askedUnder(request: ProposalRequest | ProposalRequestInput): AskedUnder | undefined {
  if (request.kind !== 'order') return undefined;
  const { mandate, slot, approval } = request;
  return mandate === undefined && approval === undefined ? undefined : { mandate, slot, approval };
}

/** The header that makes a proposal repeatable: the same key and body are the same proposal. */
export const idempotencyKeySchema = z.string().regex(/^[A-Za-z0-9._-]{1,64}$/);

export const worstCaseSchema = z.lazy(() =>
  z.object({
    /** The most it can cost (buy), or the least it can bring (sell); null where nothing bounds it, or no money moves. */
    cash: decimalString.nullable(),
    /** Dollars a share that it can't go beyond; null where nothing bounds it. */
    price: decimalString.nullable(),
    text: z.string(),
  }),
);
export type WorstCase = z.output<typeof worstCaseSchema>;

const viewBase = () => ({
  id: z.string(),
  state: z.enum(proposalStates),
  /** Four Crockford characters, drawn at random by the gateway: the same on terminal and phone. */
  code: z.string(),
  worst_case: worstCaseSchema.nullable(),
  warnings: z.array(z.string()),
  /** What the phone shows beside the subject, label to text: company, effect on cash and position. */
  shows: z.record(z.string(), z.string()).optional(),
  created_at: z.string(),
  expires_at: z.string(),
  updated_at: z.string(),
  requested_by: z.string().nullable(),
  client: z.string(),
  for: z.string().optional(),
  proposed_by: z.string().optional(),
  /** How often the same was proposed within the hour, this one counted; absent for the first. */
  again: z.number().int().optional(),
  provenance: provenanceSchema.optional(),
  approval: z.object({
    method: z.string(),
    phone_url: z.string().optional(),
    /** Where one person's approval is not enough: who is asked after the owner, and whether the owner has approved. */
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
  [K in ProposalKind]: z.output<z.ZodObject<ReturnType<typeof viewBase>>> & {
    kind: K;
    subject: SubjectOf<K>;
    result?: ResultOf<K> | undefined;
  };
}[ProposalKind];

export const proposalSchema = z.lazy(() => {
  const base = viewBase();
  return oneOfEachKind<Proposal>(({ name, subjectSchema, resultSchema }) =>
    z.object({ kind: z.literal(name), ...base, subject: subjectSchema, result: resultSchema.optional() }),
  );
});

/** The schemas' types can't be told from a table: they are said beside it, by the same table. */
function oneOfEachKind<Output, Input = Output>(
  make: (kind: (typeof kinds)[ProposalKind]) => z.ZodObject,
): z.ZodType<Output, Input> {
  const [first, ...rest] = Object.values(kinds).map(make);
  if (first === undefined) throw new TypeError('there is no kind');
  return z.discriminatedUnion('kind', [first, ...rest]) as unknown as z.ZodType<Output, Input>;
}

function printable(longest: number) {
  return z.string().regex(new RegExp(`^[\\x20-\\x7e]{1,${longest}}$`), 'must be printable ASCII');
}

const parts = z.object({ account: z.string(), environment: z.enum(environments) });
const schema = z.lazy(() => z.union([parts, z.object({ draft: parts })]));

/** Which account a proposal's subject is about, and whose money that is; a replacement has it in its draft. */
export function aboutAccount(subject: unknown): z.output<typeof parts> | undefined {
  const about = schema.safeParse(subject).data;
  return about !== undefined && 'draft' in about ? about.draft : about;
}
