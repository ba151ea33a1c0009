import { connectCommand } from '../../tools/gateway/gateway-problem.ts';
import { describeMessage } from '../../trading/message.ts';
import { describeOrder } from '../../trading/order.ts';
import type { Proposal } from '../../trading/proposal.ts';
import type { Order } from '../../trading/views.ts';
import type { ApprovalView } from '../events.ts';
import { orderShorthand } from '../planner/order-summary.ts';

/** What people and scripts may see of a proposal. @param thread empty where it is none of a thread's here */
export function approvalView(proposal: Proposal, thread: string): ApprovalView {
  const { id, state, code, expires_at, reason, worst_case, warnings, requested_by, client } = proposal;
  const base = {
    id,
    thread,
    status: state,
    code,
    expires_at,
    reason: reason === undefined ? undefined : reasonText(reason),
    worst_case,
    warnings,
    requested_by,
    client,
  };
  switch (proposal.kind) {
    case 'order': {
      const { subject, result: placed } = proposal;
      return { ...base, kind: 'order', environment: subject.environment, order: subject, placed };
    }
    case 'message':
      return { ...base, kind: 'message', message: proposal.subject, sent: proposal.result };
    case 'cancel': {
      const { subject, result: placed } = proposal;
      return { ...base, kind: 'cancel', environment: subject.environment, cancel: subject, placed };
    }
    case 'replace': {
      const { subject, result: placed } = proposal;
      return { ...base, kind: 'replace', environment: subject.draft.environment, replace: subject, placed };
    }
    case 'lift':
      return { ...base, kind: 'lift', lift: proposal.subject };
  }
}

/** Why it stands as it does, and what to do where that is something to do here. */
function reasonText({ code, text, members }: NonNullable<Proposal['reason']>): string {
  if (code !== 'account_not_connected') return text;
  const connection = typeof members?.connection === 'string' ? members.connection : 'broker';
  return `${text}; connect it with "${connectCommand(connection)}"`;
}

/** What is proposed, in one line. */
export function describeProposal(proposal: Proposal): string {
  switch (proposal.kind) {
    case 'order':
      return describeOrder(proposal.subject);
    case 'message':
      return describeMessage(proposal.subject);
    case 'cancel':
      return `CANCEL ${orderShorthand(proposal.subject.order)}`;
    case 'replace':
      return `CHANGE TO ${describeOrder(proposal.subject.draft)}`;
    case 'lift':
      return 'LIFT THE HALT';
  }
}

/** The order at the broker that came of it, once there is one. */
export function orderOf(proposal: Proposal): Order | undefined {
  return proposal.kind === 'message' || proposal.kind === 'lift' ? undefined : proposal.result;
}
