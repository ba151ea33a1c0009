import { type Clock, formatUtcSeconds } from '../../../machine/clock.ts';
import {
  findNewRecipient,
  type PolicyChangeRequest,
  type PolicyChangeResult,
  type PolicyChangeSubject,
  policyChange,
} from '../../../trading/kinds/policy-change.ts';
import { isMessageChange, isRecipientChange } from '../../../trading/limit-words.ts';
import type { Approval, Kind, Proposer } from '../../kind.ts';
import { type FindBrokerName, toDisplayedAccount, toExecution } from '../execution.ts';

/** The part of a rule change that is computed from the current rules. */
export type PlannedPolicyChange = Omit<PolicyChangeSubject, 'client_policy_id' | 'expires_at'>;

/** The gateway's policy service. All methods throw only `HttpProblem`s. */
export interface PolicyPorts {
  /**
   * Plans a change without making it.
   * @throws {HttpProblem} 409 `rules_stale` if the current rules differ from `base`, 409 `rules_unchanged`, 422
   *   `invalid_policy` with file, line and hint, and any error from requests to the broker
   */
  plan(proposer: Proposer, request: PolicyChangeRequest): Promise<PlannedPolicyChange>;
  /**
   * Replaces the rules whose digest is `previous` with those whose digest is `digest`. Does nothing if this has already
   * been done.
   * @throws {HttpProblem} 409 `rules_stale`, 409 `details_mismatch` if the limits and rules of the change have a
   *   different digest, 403 `policy_denied` if rules forbid the change
   */
  apply(change: PlannedPolicyChange, owner: Approval): Promise<void>;
  digest(): Promise<string>;
}

/**
 * Returns the kind of proposal that loosens the rules. Loosening needs an approval, so that someone who can only
 * propose can't loosen the rules.
 */
export function policyChangeKind({
  policy,
  brokerOf,
  clock,
}: {
  readonly policy: PolicyPorts;
  readonly brokerOf: FindBrokerName;
  readonly clock: Clock;
}): Kind<PolicyChangeRequest, PolicyChangeSubject, PolicyChangeResult> {
  const changed = ({ digest }: PolicyChangeSubject): PolicyChangeResult => ({
    digest,
    changed_at: formatUtcSeconds(clock.now()),
  });
  return {
    ...policyChange,
    async complete(request, { proposer, subjectId, expiresAt }) {
      const planned = await policy.plan(proposer, request);
      return {
        subject: { ...planned, client_policy_id: subjectId, expires_at: expiresAt },
        subjectId,
        worstCase: { cash: null, price: null, text: loosenedText(planned) },
        warnings: [],
        shows: toDisplayedAccount({ account: planned, broker: await brokerOf(proposer, planned.account) }),
      };
    },
    describe: describeChange,
    expiresAt: ({ expires_at }) => expires_at,
    fingerprint: ({ previous, digest }) => `${previous} ${digest}`,
    execute: (subject, approved) =>
      toExecution(async () => {
        await policy.apply(subject, approved);
        return changed(subject);
      }),
    // The digest of the rules shows whether the change was made, because no other change would produce the same digest.
    settle: async (subject) =>
      (await policy.digest()) === subject.digest ? { outcome: 'executed', result: changed(subject) } : undefined,
    resultText: () => 'rules changed',
  };
}

/** Describes the change in one line. Names a new recipient of messages, because some providers show only this line. */
function describeChange(subject: PolicyChangeSubject): string {
  const recipient = findNewRecipient(subject.changes);
  return recipient === undefined ? policyChange.summary(subject) : `MESSAGES TO ${recipient.replace('@', ' at ')}`;
}

/** Maximum number of changes that the warning lists. The phone also shows each change on a separate line. */
const MAX_NAMED_CHANGES = 4;

function loosenedText({ changes }: PlannedPolicyChange): string {
  const looser = changes.flatMap((line) => /^looser: (.*)$/u.exec(line)?.[1] ?? []);
  if (looser.length === 0) return 'This allows nothing new.';
  if (looser.every(isMessageChange)) {
    const check = looser.some(isRecipientChange) ? ' Check every character of the address.' : '';
    return `${looser.join('; ')}.${check} Each message still needs your approval.`;
  }
  const listed = looser.slice(0, MAX_NAMED_CHANGES).join('; ');
  const more = looser.length > MAX_NAMED_CHANGES ? `; and ${looser.length - MAX_NAMED_CHANGES} more` : '';
  return `Orders that are now refused will be allowed: ${listed}${more}. Each still needs your approval or one of your mandates.`;
}
