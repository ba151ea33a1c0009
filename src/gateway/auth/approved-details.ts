import type { z } from 'zod';
import { isTradeAgentError } from '../../errors/errors.ts';
import type { ProblemCode } from '../../errors/problem-codes.ts';
import type { Clock } from '../../machine/clock.ts';
import type { Scope } from '../../oauth/scopes.ts';
import { differingFields } from '../../trading/approval-details.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import { defined } from '../../values/defined.ts';
import { isObject } from '../../values/is-object.ts';
import type { Caller } from './caller.ts';

interface ApprovalKind {
  /** The `type` of the authorization details (RFC 9396 §2), which differs between identity providers. */
  readonly type: string;
  readonly schema: z.ZodType;
  readonly scope: Scope;
  /** `order` or `message`, for error messages. */
  readonly noun: string;
}

/**
 * Compares a request with the token's approved details as they are, without filling in, dropping or correcting any
 * field.
 * @throws {HttpProblem} 403 `details_mismatch`, with the names of the fields
 */
export function requireApprovedDetails(
  approved: Record<string, unknown>,
  demanded: Record<string, unknown>,
  kind: ApprovalKind,
): void {
  const fields = findMismatches(approved, demanded);
  if (fields.length === 0) return;
  throw notApproved(
    kind,
    'details_mismatch',
    `the ${kind.noun} differs from the approved ${kind.noun} in ${fields.join(', ')}`,
    fields,
  );
}

/**
 * Returns the names of the fields that differ. Compares own properties only: parsed JSON can contain a field
 * `__proto__` or `constructor`, which must not be compared with the inherited property of that name.
 */
function findMismatches(approved: Record<string, unknown>, demanded: Record<string, unknown>): string[] {
  const added = Object.keys(approved).filter((field) => !Object.hasOwn(demanded, field));
  return [...new Set([...differingFields(approved, demanded), ...added])].sort();
}

/**
 * Returns the authorization details exactly as they are in the token. The token must contain exactly one object, and
 * the object must have this kind's type.
 * @throws {HttpProblem} 403 `approval_missing`, `approval_ambiguous`, `approval_malformed`
 */
export function requireSingleDetails(
  { authorizationDetails: claim }: Pick<Caller, 'authorizationDetails'>,
  kind: ApprovalKind,
): Record<string, unknown> {
  if (claim === undefined || (Array.isArray(claim) && claim.length === 0)) {
    throw notApproved(kind, 'approval_missing', `the access token contains no approved ${kind.noun}`);
  }
  if (!Array.isArray(claim)) {
    throw notApproved(kind, 'approval_malformed', 'authorization_details in the access token is not an array');
  }
  if (claim.length > 1) {
    throw notApproved(
      kind,
      'approval_ambiguous',
      'the access token contains more than one authorization details object',
    );
  }
  const details: unknown = claim[0];
  if (!isObject(details)) {
    throw notApproved(kind, 'approval_malformed', 'the authorization details in the access token are not an object');
  }
  if (details.type !== kind.type) {
    throw notApproved(
      kind,
      'approval_missing',
      `the access token contains no authorization details of type ${kind.type}`,
    );
  }
  const parsed = kind.schema.safeParse(details);
  if (!parsed.success) {
    throw notApproved(
      kind,
      'approval_malformed',
      'the authorization details in the access token are malformed',
      invalidFieldNames(parsed.error.issues),
    );
  }
  // The comparison needs the raw object, because parsing may have changed fields.
  return details as Record<string, unknown>;
}

type Issue = { readonly path: PropertyKey[]; readonly code?: string | undefined; readonly keys?: unknown };

/** Returns the names of invalid fields, including unknown fields, for which zod reports only the parent's path. */
export function invalidFieldNames(issues: readonly Issue[]): string[] {
  const fields = issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys' && Array.isArray(issue.keys)) return issue.keys.map(String);
    return issue.path.length === 0 ? [] : [issue.path.map(String).join('.')];
  });
  return [...new Set(fields)].sort();
}

export function malformedProblem(
  status: number,
  code: ProblemCode,
  what: string,
  { issues }: { readonly issues: readonly (Issue & { readonly message: string })[] },
): HttpProblem {
  const fields = invalidFieldNames(issues);
  return new HttpProblem(status, code, `${what} is malformed: ${fields.join(', ') || 'not an object'}`, {
    fields,
    ...defined({ hint: issues[0]?.message }),
  });
}

/** Converts an error of `checkOrder` or `checkMessage` to an HTTP problem. @throws any other error */
export function invalidContentProblem(code: ProblemCode, error: unknown): HttpProblem {
  if (!isTradeAgentError(error)) throw error;
  const { field } = error.details;
  const fields = typeof field === 'string' ? [field] : undefined;
  return new HttpProblem(400, code, error.message, defined({ hint: error.hint, fields }));
}

/** Requires that an approval has not expired. @throws {HttpProblem} 403 `approval_expired` */
export function requireUnexpiredApproval(
  expiresAt: string,
  { noun, scope }: Pick<ApprovalKind, 'noun' | 'scope'>,
  clock: Pick<Clock, 'now'>,
): void {
  if (clock.now() < Date.parse(expiresAt)) return;
  throw new HttpProblem(403, 'approval_expired', `the approval expired at ${expiresAt}`, {
    hint: `Propose the ${noun} again.`,
    fields: ['expires_at'],
    challenge: { error: 'insufficient_authorization_details', scopes: [scope] },
  });
}

function notApproved(kind: ApprovalKind, code: ProblemCode, detail: string, fields?: readonly string[]): HttpProblem {
  return new HttpProblem(403, code, detail, {
    hint: `Request an approval of exactly this ${kind.noun}.`,
    ...defined({ fields }),
    challenge: { error: 'insufficient_authorization_details', scopes: [kind.scope] },
  });
}
