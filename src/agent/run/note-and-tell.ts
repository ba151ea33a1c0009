import type { AgentEvent } from '../events.ts';
import { approvalView, cameOf } from '../graph/proposal-view.ts';
import type { ThreadProposal, ThreadProposals } from '../graph/thread-proposals.ts';

/**
 * Keeps what was seen of a proposal, and tells the run's stream of it where it is news there.
 * @param shown ids of those that the stream has told of; added to
 */
export function noteAndTell(
  proposals: ThreadProposals,
  shown: Set<string>,
  emit: (event: AgentEvent) => void,
): (seen: ThreadProposal) => void {
  return (seen) => {
    const { id } = seen.proposal;
    const before = proposals.get(id)?.proposal;
    const { proposal, thread } = proposals.note(seen);
    const isSame = before?.state === proposal.state && before.updated_at === proposal.updated_at;
    if (isSame && shown.has(id)) return;
    shown.add(id);
    const order = cameOf(proposal).placed;
    const isOrderNews = JSON.stringify(order) !== JSON.stringify(before && cameOf(before).placed);
    if (order !== undefined && isOrderNews) emit({ type: 'order', order, approval: id });
    emit({ type: 'approval', approval: approvalView(proposal, thread) });
  };
}
