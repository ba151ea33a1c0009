import { type Clock, utcSeconds } from '../../../machine/clock.ts';
import {
  type PolicyChanged,
  type PolicyChangeRequest,
  type PolicyChangeSubject,
  policyChange,
} from '../../../trading/kinds/policy-change.ts';
import type { Approved, Kind, Proposer } from '../../kind.ts';
import { accountShown, type BrokerOf, executionOf } from '../execution.ts';

/** What a change of the rules would come to: all of the subject that the rules themselves tell. */
export type PlannedPolicy = Omit<PolicyChangeSubject, 'client_policy_id' | 'expires_at'>;

/** How rules are looked at and changed; the gateway's desk for them. Everything here throws only `Refusal`s. */
export interface PolicyPorts {
  /**
   * Changes nothing.
   * @throws {Refusal} 409 `rules_stale` where the rules are others than `base`, 409 `rules_unchanged`, 422
   *   `invalid_policy` with file, line and hint, and what the broker's reads throw
   */
  plan(proposer: Proposer, request: PolicyChangeRequest): Promise<PlannedPolicy>;
  /**
   * Makes the rules those of `digest`, where they are those of `previous`; where they are of `digest` already, it is done.
   * @throws {Refusal} 409 `rules_stale`, 409 `details_mismatch` where limits and texts come to another digest, 403
   *   `policy_denied` where rules forbid it
   */
  apply(change: PlannedPolicy, owner: Approved): Promise<void>;
  /** The digest of the rules as they are now. */
  digest(): Promise<string>;
}

/** Changing the rules so that more becomes possible: who can only propose can't do it. */
export function policyChangeKind({
  policy,
  brokerOf,
  clock,
}: {
  readonly policy: PolicyPorts;
  readonly brokerOf: BrokerOf;
  readonly clock: Clock;
}): Kind<PolicyChangeRequest, PolicyChangeSubject, PolicyChanged> {
  const changed = ({ digest }: PolicyChangeSubject): PolicyChanged => ({
    digest,
    changed_at: utcSeconds(clock.now()),
  });
  return {
    ...policyChange,
    async complete(request, { proposer, subjectId, expiresAt }) {
      const planned = await policy.plan(proposer, request);
      return {
        subject: { ...planned, client_policy_id: subjectId, expires_at: expiresAt },
        subjectId,
        worstCase: { cash: null, price: null, text: worstText(planned) },
        warnings: [],
        shows: accountShown({ account: planned, broker: await brokerOf(proposer, planned.account) }),
      };
    },
    describe: policyChange.summary,
    expiresAt: ({ expires_at }) => expires_at,
    fingerprint: ({ previous, digest }) => `${previous} ${digest}`,
    execute: (subject, approved) =>
      executionOf(async () => {
        await policy.apply(subject, approved);
        return changed(subject);
      }),
    // What it leaves tells whether it was made; nothing else would have left just that.
    settle: async (subject) =>
      (await policy.digest()) === subject.digest
        ? { outcome: 'executed', result: changed(subject) }
        : undefined,
    resultText: () => 'the rules are changed',
  };
}

/** In the sentence; each stands on a line of its own too. */
const MOST_TOLD = 4;

/** What becomes possible, in a sentence. */
function worstText({ changes }: PlannedPolicy): string {
  const looser = changes.flatMap((line) => /^looser: (.*)$/u.exec(line)?.[1] ?? []);
  if (looser.length === 0) return 'Nothing becomes possible that was not.';
  const told = looser.slice(0, MOST_TOLD).join('; ');
  const more = looser.length > MOST_TOLD ? `; and ${looser.length - MOST_TOLD} more` : '';
  return `Orders that are refused now can go out: ${told}${more}. Each still needs your tap, or a mandate of yours.`;
}
