import {
  differingFields,
  type TradeOrderDetails,
  tradeOrderDetails,
  tradeOrderDetailsSchema,
} from '../trading/approval-details.ts';
import { isTradeAgentError } from '../trading/errors.ts';
import { checkOrder, normalizeOrder, type OrderDraft, orderDraftSchema } from '../trading/order.ts';
import type { Caller } from './caller.ts';
import { Refusal } from './problem.ts';

/** An order that its owner approved, to the last field. */
export interface ApprovedOrder {
  readonly draft: OrderDraft;
  readonly digest: string;
}

/**
 * Recomputes the order from the request alone and compares it with the approved details inside the token. Whatever is
 * in one and not in the other is a difference: nothing is defaulted, dropped or corrected on the way.
 * @throws {Refusal} 400 `invalid_order`, 403 `approval_missing`, `approval_ambiguous`, `approval_malformed`,
 *   `details_mismatch`
 */
export function approvedOrder(
  body: unknown,
  caller: Pick<Caller, 'authorizationDetails'>,
  target: { readonly gateway: string; readonly type: string },
): ApprovedOrder {
  const approved = approvedDetails(caller.authorizationDetails, target.type);
  const draft = parseOrder(body);
  const demanded = tradeOrderDetails(draft, target);
  const fields = mismatches(approved, demanded);
  if (fields.length > 0) {
    throw notApproved(
      'details_mismatch',
      `the order differs from the approved one in ${fields.join(', ')}`,
      fields,
    );
  }
  return { draft, digest: demanded.digest };
}

/**
 * As `differingFields`, and also any field that only looks inherited: a details object parsed from JSON can have an own
 * `__proto__` or `constructor`, which reads as equal to what every object inherits.
 */
function mismatches(approved: Record<string, unknown>, demanded: TradeOrderDetails): string[] {
  const added = Object.keys(approved).filter((field) => !Object.hasOwn(demanded, field));
  return [...new Set([...differingFields(approved, demanded), ...added])].sort();
}

/** Exactly one object, of the one type. A second, of whatever type, is something nobody here understands: refused. */
function approvedDetails(claim: unknown, type: string): Record<string, unknown> {
  if (claim === undefined || (Array.isArray(claim) && claim.length === 0)) {
    throw notApproved('approval_missing', 'the access token carries no approved order');
  }
  if (!Array.isArray(claim)) {
    throw notApproved('approval_malformed', 'authorization_details in the access token is not an array');
  }
  if (claim.length > 1) {
    throw notApproved(
      'approval_ambiguous',
      'the access token carries more than one authorization details object',
    );
  }
  const details: unknown = claim[0];
  if (typeof details !== 'object' || details === null || Array.isArray(details)) {
    throw notApproved(
      'approval_malformed',
      'the authorization details in the access token are not an object',
    );
  }
  if (!('type' in details) || details.type !== type) {
    throw notApproved(
      'approval_missing',
      `the access token carries no authorization details of type ${type}`,
    );
  }
  const parsed = tradeOrderDetailsSchema.safeParse(details);
  if (!parsed.success) {
    const fields = [...new Set(parsed.error.issues.flatMap(issueFields))].sort();
    throw notApproved(
      'approval_malformed',
      'the authorization details in the access token are malformed',
      fields,
    );
  }
  // The raw object goes on to the comparison, not the parsed one, which may have been tidied up.
  return details as Record<string, unknown>;
}

function parseOrder(body: unknown): OrderDraft {
  const parsed = orderDraftSchema.safeParse(body);
  if (!parsed.success) {
    const fields = [...new Set(parsed.error.issues.flatMap(issueFields))].sort();
    const first = parsed.error.issues[0];
    throw new Refusal(
      400,
      'invalid_order',
      `the order is malformed: ${fields.join(', ') || 'not an object'}`,
      {
        fields,
        ...(first === undefined ? {} : { hint: first.message }),
      },
    );
  }
  try {
    checkOrder(parsed.data);
  } catch (error) {
    if (!isTradeAgentError(error)) throw error;
    const { field } = error.details;
    throw new Refusal(400, 'invalid_order', error.message, {
      ...(error.hint === undefined ? {} : { hint: error.hint }),
      ...(typeof field === 'string' ? { fields: [field] } : {}),
    });
  }
  return normalizeOrder(parsed.data);
}

type Issue = { readonly path: PropertyKey[]; readonly code?: string | undefined; readonly keys?: unknown };

/** Where an issue lies; for unknown fields, which zod reports at their parent, their own names. */
function issueFields(issue: Issue): string[] {
  if (issue.code === 'unrecognized_keys' && Array.isArray(issue.keys)) return issue.keys.map(String);
  return issue.path.length === 0 ? [] : [issue.path.map(String).join('.')];
}

function notApproved(code: string, detail: string, fields?: readonly string[]): Refusal {
  return new Refusal(403, code, detail, {
    hint: 'Ask for an approval of exactly this order.',
    ...(fields === undefined ? {} : { fields }),
    challenge: { error: 'insufficient_authorization_details', scopes: ['orders:write'] },
  });
}
