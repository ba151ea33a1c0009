import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import { z } from 'zod';
import { differingFields } from '../trading/approval-details.ts';
import { HttpProblem } from '../trading/http-problem.ts';
import { kinds, type ProposalKind, proposalKinds } from '../trading/kinds/kinds.ts';
import {
  type CodeEntry,
  codeEntrySchema,
  type Provenance,
  provenanceSchema,
  rulesDigestSchema,
  type WorstCase,
  worstCaseSchema,
} from '../trading/proposal.ts';
import { defined } from '../values/defined.ts';
import { isObject } from '../values/is-object.ts';

/** The default RFC 9396 type of each kind. A provider may have its own name for the type. */
export const detailsTypeByKind = Object.fromEntries(
  Object.values(kinds).map(({ name, detailsType }) => [name, detailsType]),
) as Readonly<Record<ProposalKind, string>>;

/** The statement that the digest covers: everything that the person approves, and who proposed it. */
export interface ProposalStatement {
  readonly kind: ProposalKind;
  readonly subject: unknown;
  readonly worst_case: WorstCase | null;
  readonly provenance: Provenance | null;
  readonly requested_by: string | null;
  /** The OAuth client that made the proposal. */
  readonly client: string;
  /** The proposer, if not the owner. */
  readonly proposed_by?: string | undefined;
  readonly code_entry?: CodeEntry | undefined;
  /** The digest of the rules that allowed the order to be proposed. */
  readonly policy?: string | undefined;
}

/** Returns base64url(SHA-256(RFC 8785 form of the statement)), 43 characters. */
export function proposalDigest(statement: ProposalStatement): string {
  const { kind, subject, worst_case, provenance, requested_by, client, proposed_by, code_entry, policy } = statement;
  const text = canonicalize({
    v: 1,
    kind,
    subject,
    worst_case,
    provenance,
    requested_by,
    client,
    ...defined({ proposed_by, code_entry, policy }),
  });
  if (text === undefined) throw new TypeError('a proposal has no canonical form');
  return createHash('sha256').update(text).digest('base64url');
}

/**
 * The RFC 9396 authorization details object of a proposal: everything that the phone shows and the token carries.
 * `digest` can be recomputed from the other members ({@link proposalDigest}).
 */
export const proposalDetailsSchema = z.lazy(() =>
  z.strictObject({
    type: z.string().min(1),
    locations: z.array(z.string()).length(1),
    actions: z.array(z.string()).length(1),
    /** The subject's id, such as a `client_order_id`. */
    identifier: z.string(),
    kind: z.enum(proposalKinds),
    /** The proposal's id at the gateway. */
    proposal: z.string().regex(/^pr_[0-9A-Za-z]{8,32}$/),
    code: z.string().regex(/^[0-9A-HJKMNP-TV-Z]{4}$/),
    digest: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
    /**
     * Random value that makes each signature unique. Absent from proposals that were made before approvals were signed.
     */
    nonce: z
      .string()
      .regex(/^[A-Za-z0-9_-]{22}$/)
      .optional(),
    expires_at: z.iso.datetime({ precision: 0 }),
    subject: z.record(z.string(), z.unknown()),
    worst_case: worstCaseSchema.nullable(),
    warnings: z.array(z.string()),
    /** Additional lines that the phone shows, by label: company name, effect on cash and position. */
    shows: z.record(z.string(), z.string()),
    requested_by: z.string().nullable(),
    client: z.string(),
    /** The proposer's `sub`, unless the proposer is the person who is asked. */
    proposed_by: z.string().optional(),
    /** If `typed`, the person must type the code to approve, and the provider must not show the code. */
    code_entry: codeEntrySchema.optional(),
    policy: rulesDigestSchema.optional(),
    provenance: provenanceSchema.nullable(),
    /** How many proposals with the same content, including this one, were made within the last hour. */
    again: z.number().int().optional(),
  }),
);
export type ProposalDetails = z.output<typeof proposalDetailsSchema>;

export interface DetailedProposal {
  readonly id: string;
  readonly kind: ProposalKind;
  readonly code: string;
  readonly digest: string;
  readonly nonce: string | undefined;
  readonly subject: unknown;
  readonly subjectId: string;
  readonly worstCase: WorstCase | null;
  readonly warnings: readonly string[];
  readonly shows: Readonly<Record<string, string>>;
  readonly provenance: Provenance | null;
  readonly requestedBy: string | null;
  readonly client: string;
  readonly proposedBy: string | undefined;
  readonly codeEntry?: CodeEntry | undefined;
  readonly policy?: string | undefined;
  readonly again: number | undefined;
}

/** Returns the authorization details of a proposal. The same proposal always has the same details. */
export function proposalDetails(
  proposal: DetailedProposal,
  target: { readonly gateway: string; readonly type: string; readonly expiresAt: string },
): ProposalDetails {
  const { again, nonce, proposedBy, codeEntry, policy } = proposal;
  return {
    type: target.type,
    locations: [target.gateway],
    actions: [kinds[proposal.kind].action],
    identifier: proposal.subjectId,
    kind: proposal.kind,
    proposal: proposal.id,
    code: proposal.code,
    digest: proposal.digest,
    ...defined({ nonce }),
    expires_at: target.expiresAt,
    subject: proposal.subject as Record<string, unknown>,
    worst_case: proposal.worstCase,
    warnings: [...proposal.warnings],
    shows: { ...proposal.shows },
    requested_by: proposal.requestedBy,
    client: proposal.client,
    ...defined({ proposed_by: proposedBy, code_entry: codeEntry, policy }),
    provenance: proposal.provenance,
    ...defined({ again }),
  };
}

/** Returns whether an authorization details object belongs to a proposal, rather than to a client's direct request. */
export function isProposalDetails(details: Readonly<Record<string, unknown>>): boolean {
  return details.proposal !== undefined;
}

/**
 * Parses a proposal's details for an identity provider. They must be complete, be meant for this gateway, have the
 * right digest, and not have expired.
 * @param target the gateway's resource identifier, and the current time in milliseconds since the epoch
 * @throws {TypeError} whose message names the failed requirement
 */
export function parseProposalDetails(
  details: unknown,
  target: { readonly gateway: string; readonly now: number },
): ProposalDetails {
  const parsed = proposalDetailsSchema.safeParse(details);
  if (!parsed.success) {
    const fields = parsed.error.issues.map(({ path, code, ...issue }) =>
      code === 'unrecognized_keys' && 'keys' in issue ? String(issue.keys) : path.join('.'),
    );
    throw new TypeError(`not a complete proposal: ${[...new Set(fields)].join(', ')}`);
  }
  const found = parsed.data;
  if (found.locations[0] !== target.gateway) throw new TypeError('locations must name the gateway');
  if (found.actions[0] !== kinds[found.kind].action) throw new TypeError('actions must be the kind’s action');
  if (found.digest !== proposalDigest(found)) throw new TypeError('digest does not match the proposal');
  if (Date.parse(found.expires_at) <= target.now) throw new TypeError('expires_at has passed');
  return found;
}

/**
 * Requires that the approved details in a token are exactly those of the request: a single object, with the same
 * members and values.
 * @throws {HttpProblem} 403 `approval_missing`, `approval_ambiguous`, `approval_malformed`, `details_mismatch`
 */
export function requireSameDetails(claim: unknown, asked: Readonly<Record<string, unknown>>): void {
  if (claim === undefined || (Array.isArray(claim) && claim.length === 0)) {
    throw new HttpProblem(403, 'approval_missing', 'the approval’s token contains no approved details');
  }
  if (!Array.isArray(claim)) {
    throw new HttpProblem(403, 'approval_malformed', 'authorization_details in the token is not an array');
  }
  if (claim.length > 1) {
    throw new HttpProblem(403, 'approval_ambiguous', 'the token contains more than one authorization details object');
  }
  const approved: unknown = claim[0];
  if (typeof approved !== 'object' || approved === null || Array.isArray(approved)) {
    throw new HttpProblem(403, 'approval_malformed', 'the authorization details in the token are not an object');
  }
  const details = approved as Record<string, unknown>;
  // An own member `__proto__` or `constructor` compares equal to the one that every object inherits, so added members
  // are compared by name.
  const added = Object.keys(details).filter((field) => !Object.hasOwn(asked, field));
  const fields = [
    ...new Set(
      [...differingFields(details, { ...asked }), ...added].flatMap((name) => differingTerms(name, details, asked)),
    ),
  ].sort();
  if (fields.length === 0) return;
  throw new HttpProblem(
    403,
    'details_mismatch',
    `the approved details differ from the request in ${fields.join(', ')}`,
    {
      fields,
    },
  );
}

/**
 * For `subject`, returns the paths of its members that differ, such as `subject.max_orders`. For any other field,
 * returns the field's own name.
 */
function differingTerms(
  field: string,
  approved: Readonly<Record<string, unknown>>,
  asked: Readonly<Record<string, unknown>>,
): string[] {
  const both = [approved[field], asked[field]];
  if (field !== 'subject' || !both.every(isObject)) return [field];
  const [one = {}, other = {}] = both as Record<string, unknown>[];
  return differingFields(one, other).map((name) => `subject.${name}`);
}
