import type { CallToolResult } from '@modelcontextprotocol/server';
import { getKindDefinition } from '../../trading/kinds/kinds.ts';
import { orderStatusWords } from '../../trading/kinds/phrases.ts';
import type { Environment } from '../../trading/order.ts';
import type { Proposal, ProposalState } from '../../trading/proposal.ts';
import { defined } from '../../values/defined.ts';
import type { proposalStatuses } from '../outputs/proposal.ts';
import { createToolResult, untrustedNote } from './answer.ts';

/** States in which the call counts as successful. */
const successStatuses: readonly string[] = ['pending_approval', 'executing', 'executed'];

/** Builds the result for a proposal. @param wasAsked whether the call requested an action, not just a status */
export function createProposalResult(proposal: Proposal, environment: Environment, wasAsked: boolean): CallToolResult {
  const status = proposalStatus(proposal);
  const rejected = placedOrder(proposal)?.status === 'rejected';
  return createToolResult(
    {
      environment,
      message: describeProposalForModel(proposal),
      ...proposalFacts(proposal),
      ...nextStep(proposal),
      ...untrustedNote(proposal.reason?.members?.broker_message === undefined ? undefined : 'the broker'),
    },
    wasAsked && (!successStatuses.includes(status) || rejected),
  );
}

/** Describes a proposal. The code comes first, because some clients show only the beginning of a message. */
export function describeProposalForModel(proposal: Proposal): string {
  const { kind, code, code_entry, subject, worst_case, reason } = proposal;
  const { summary, phrases } = getKindDefinition(kind);
  const what = summary(subject);
  const status = proposalStatus(proposal);
  if (status === 'pending_approval') {
    return [
      `Code ${code}: waiting for the owner to ${code_entry === undefined ? 'approve' : 'type this code and approve,'} or deny on their phone: ${what}.`,
      ...(worst_case === null ? [] : [`Worst case: ${worst_case.text}`]),
      phrases.nothing.replace(' was ', ' is ').replace(/\.$/, ' before they approve.'),
    ].join(' ');
  }
  const words = phrases.status[proposal.state] ?? orderStatusWords[proposal.state];
  const order = placedOrder(proposal);
  return [
    `${what}: ${words}.`,
    ...(order === undefined ? [] : [fillText(order)]),
    ...(reason === undefined || status === 'executed' ? [] : [`${reason.text.replace(/\.$/, '')}.`]),
  ].join(' ');
}

function fillText({ status, filled_qty, filled_avg_price }: NonNullable<ReturnType<typeof placedOrder>>): string {
  const price = filled_avg_price === null ? '' : ` at $${filled_avg_price}`;
  return Number(filled_qty) > 0 ? `${status}: ${filled_qty}${price}.` : `The order is ${status}.`;
}

function placedOrder({ kind, subject, result }: Proposal) {
  return result === undefined ? undefined : getKindDefinition(kind).toOutcome(result, subject).placed;
}

function nextStep(proposal: Proposal): { readonly next?: string } {
  const { id, kind, code_entry } = proposal;
  const { again } = getKindDefinition(kind).phrases;
  switch (proposalStatus(proposal)) {
    case 'pending_approval':
      return {
        next: `Tell the user the code, and ${code_entry === undefined ? 'that the request is on their phone' : 'that they have to type it on their phone, which does not show it'}. Then call check_approval with proposal_id ${id}. Do not ${again} again. Call withdraw_proposal to cancel it.`,
      };
    case 'executing':
      return { next: `Call check_approval with proposal_id ${id}.` };
    case 'unknown':
      return {
        next: `The proposal may have been carried out. Call check_approval with proposal_id ${id}; do not ${again} again until you know the outcome.`,
      };
    case 'denied':
      return { next: 'The owner denied the proposal. Do not ask again unless they tell you to.' };
    default:
      return {};
  }
}

type ProposalStatus = (typeof proposalStatuses)[number];

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

function proposalStatus({ state }: Pick<Proposal, 'state'>): ProposalStatus {
  return statuses[state];
}

export function proposalFacts(proposal: Proposal) {
  const { id, kind, code, subject, worst_case, warnings, created_at, expires_at, reason, result } = proposal;
  const { code_entry } = proposal;
  const { placed, sent } = result === undefined ? {} : getKindDefinition(kind).toOutcome(result, subject);
  return {
    status: proposalStatus(proposal),
    proposal_id: id,
    kind,
    code,
    ...defined({ code_entry }),
    summary: getKindDefinition(kind).summary(subject),
    worst_case,
    warnings,
    created_at,
    expires_at,
    ...defined({ reason, order: placed, sent }),
  };
}
