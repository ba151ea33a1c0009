import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import type { ThreadProposal } from '../../store/thread-store.ts';
import type { GatewayClient } from '../../tools/gateway/gateway-client.ts';
import { kinds } from '../../trading/kinds/kinds.ts';
import { isSettledState, type Proposal } from '../../trading/proposal.ts';
import type { GraphEnvironment } from '../graph/graph-environment.ts';
import { describeProposal } from '../graph/proposal-view.ts';

/**
 * Withdraws a proposal for a run that may not ask the person or must not leave a proposal open. Does nothing if the
 * proposal is already being executed or has ended.
 */
export async function withdrawProposalIfOpen(
  { proposing, saw }: Pick<GraphEnvironment, 'proposing' | 'saw'>,
  seen: ThreadProposal,
): Promise<void> {
  if (proposing === undefined || isSettledState(seen.proposal.state)) return;
  try {
    await saw({ ...seen, proposal: await proposing.withdraw(seen.proposal.id) });
  } catch (error) {
    if (!isTradeAgentError(error) || !tooLateProblems.includes(String(error.details.problem))) throw error;
    await saw({ ...seen, proposal: await proposing.proposal(seen.proposal.id) });
  }
}

const tooLateProblems = ['proposal_executing', 'proposal_settled'];

/**
 * Withdraws a proposal. @throws {TradeAgentError} `not_found`; `usage` if it has ended; `outcome_unknown` while it is
 * being executed
 */
export async function withdrawProposal(gateway: GatewayClient, id: string): Promise<Proposal> {
  try {
    return await gateway.withdraw(id);
  } catch (error) {
    if (!isTradeAgentError(error) || !tooLateProblems.includes(String(error.details.problem))) throw error;
    const proposal = await gateway.proposal(id);
    if (proposal.state === 'cancelled') return proposal;
    throw notCancelableError(proposal);
  }
}

export function notCancelableError(proposal: Proposal): TradeAgentError {
  const { id, state } = proposal;
  if (!isSettledState(state)) {
    return new TradeAgentError(
      'outcome_unknown',
      kinds[proposal.kind].phrases.inProgress(id, describeProposal(proposal)),
      { hint: `Run "trade-agent approvals wait ${id}" to see the outcome.` },
    );
  }
  const placed = proposal.kind === 'order' ? proposal.result : undefined;
  return new TradeAgentError('usage', `approval ${id} is already ${state}`, {
    hint:
      placed === undefined
        ? 'There is nothing left to withdraw.'
        : `Cancel the order itself: trade-agent orders cancel ${placed.id}`,
  });
}
