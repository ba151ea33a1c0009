import { differingFields } from '../trading/approval-details.ts';
import { Refusal } from '../trading/refusal.ts';
import { isObject } from '../values/is-object.ts';

/**
 * Compares the approved details inside a token with what was asked for. Exactly one object; whatever is in one and not
 * in the other is a difference.
 * @throws {Refusal} 403 `approval_missing`, `approval_ambiguous`, `approval_malformed`, `details_mismatch`
 */
export function requireSameDetails(claim: unknown, asked: Readonly<Record<string, unknown>>): void {
  if (claim === undefined || (Array.isArray(claim) && claim.length === 0)) {
    throw new Refusal(403, 'approval_missing', 'the token of the approval carries no approved details');
  }
  if (!Array.isArray(claim)) {
    throw new Refusal(403, 'approval_malformed', 'authorization_details in the token is not an array');
  }
  if (claim.length > 1) {
    throw new Refusal(
      403,
      'approval_ambiguous',
      'the token carries more than one authorization details object',
    );
  }
  const approved: unknown = claim[0];
  if (typeof approved !== 'object' || approved === null || Array.isArray(approved)) {
    throw new Refusal(403, 'approval_malformed', 'the authorization details in the token are not an object');
  }
  const details = approved as Record<string, unknown>;
  // An own `__proto__` or `constructor` reads as equal to what every object inherits.
  const added = Object.keys(details).filter((field) => !Object.hasOwn(asked, field));
  const fields = [
    ...new Set(
      [...differingFields(details, { ...asked }), ...added].flatMap((name) => named(name, details, asked)),
    ),
  ].sort();
  if (fields.length === 0) return;
  throw new Refusal(
    403,
    'details_mismatch',
    `what was approved differs from what was asked in ${fields.join(', ')}`,
    {
      fields,
    },
  );
}

/** Of what is approved itself, which of its terms: `subject.max_orders`. */
function named(
  field: string,
  approved: Readonly<Record<string, unknown>>,
  asked: Readonly<Record<string, unknown>>,
): string[] {
  const both = [approved[field], asked[field]];
  if (field !== 'subject' || !both.every(isObject)) return [field];
  const [one = {}, other = {}] = both as Record<string, unknown>[];
  return differingFields(one, other).map((name) => `subject.${name}`);
}
