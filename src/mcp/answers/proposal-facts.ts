import { kindWords } from '../../trading/kinds/kinds.ts';
import type { Proposal, ProposalState } from '../../trading/proposal.ts';
import { defined } from '../../values/defined.ts';

/** States in plain words for models: a proposal that waits for the person is `pending_approval`. */
type ProposalStatus = Exclude<ProposalState, 'drafted' | 'requested' | 'approved'> | 'pending_approval';

const statuses: Readonly<Record<ProposalState, ProposalStatus>> = {
  drafted: 'pending_approval',
  requested: 'pending_approval',
  approved: 'executing',
  executing: 'executing',
  executed: 'executed',
  denied: 'denied',
  expired: 'expired',
  cancelled: 'cancelled',
  blocked: 'blocked',
  unknown: 'unknown',
};

export function statusOf({ state }: Pick<Proposal, 'state'>): ProposalStatus {
  return statuses[state];
}

export function proposalFacts(proposal: Proposal) {
  const { id, kind, code, subject, worst_case, warnings, created_at, expires_at, reason, result } = proposal;
  const { placed, sent } = result === undefined ? {} : kindWords(kind).came(result);
  return {
    status: statusOf(proposal),
    proposal_id: id,
    kind,
    code,
    summary: kindWords(kind).summary(subject),
    worst_case,
    warnings,
    created_at,
    expires_at,
    ...defined({ reason, order: placed, sent }),
  };
}
