import type { Denied } from '../../approval/denied.ts';
import type { DecisionNote } from '../../store/decision-store.ts';
import { policyReasons } from '../../trading/policy-reasons.ts';
import type { ProposalKind } from '../../trading/proposal.ts';
import type { Action } from './decision.ts';

const actions: Readonly<Partial<Record<ProposalKind, Action>>> = {
  order: 'place',
  replace: 'replace',
  message: 'send_message',
};

/**
 * That something was refused before the rules for orders were asked, or by other ones: for a halt, for who has a part in
 * it, since no mandate covers it. Little else is known of it.
 */
export function deniedNote(denied: Denied, policy: string, now: number): DecisionNote {
  const { sub, client, proposer, owner, kind, stage, subjectId = '', refusal } = denied;
  const { message, options } = refusal;
  const { reasons = [], limit, value, policy: decidedBy } = options.members ?? {};
  const told = Array.isArray(reasons) ? reasons : [];
  return {
    ...{ sub, client, stage, subjectId },
    policy: typeof decidedBy === 'string' ? decidedBy : policy,
    account: '',
    action: actions[kind] ?? kind,
    effect: 'deny',
    reasons: policyReasons
      .filter((reason) => told.includes(reason))
      .sort((a, b) => told.indexOf(a) - told.indexOf(b)),
    texts: [message],
    ...(typeof limit === 'string' ? { limit } : {}),
    ...(typeof value === 'string' ? { value } : {}),
    facts: { at: new Date(now).toISOString(), owner, proposer },
  };
}
