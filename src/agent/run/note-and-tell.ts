import type { ThreadProposal, ThreadProposals } from '../../store/thread-store.ts';
import { ordersOf } from '../../trading/kinds/kind-words.ts';
import type { Proposal } from '../../trading/proposal.ts';
import type { AgentEvent } from '../events.ts';
import { approvalView, cameOf } from '../graph/proposal-view.ts';

/**
 * Keeps what was seen of a proposal, and tells the run's stream of it where it is news there; one after the other, so that
 * what is told last is what was seen last.
 * @param shown ids of those that the stream has told of; added to
 */
export function noteAndTell(
  proposals: ThreadProposals,
  shown: Set<string>,
  emit: (event: AgentEvent) => void,
): (seen: ThreadProposal) => Promise<void> {
  /** Last told here. Another run that waits for the same proposal may have stored its news first. */
  const toldAs = new Map<string, Proposal>();
  const tell = async (seen: ThreadProposal): Promise<void> => {
    const { id } = seen.proposal;
    const { before: stored, kept } = await proposals.note(seen);
    const { proposal, thread } = kept;
    const before = toldAs.get(id) ?? stored;
    const isSame = before?.state === proposal.state && before.updated_at === proposal.updated_at;
    if (isSame && shown.has(id)) return;
    shown.add(id);
    toldAs.set(id, proposal);
    const known = new Set(
      before === undefined ? [] : ordersOf(cameOf(before)).map((order) => JSON.stringify(order)),
    );
    const news = ordersOf(cameOf(proposal)).filter((order) => !known.has(JSON.stringify(order)));
    for (const order of news) emit({ type: 'order', order, approval: id });
    emit({ type: 'approval', approval: approvalView(proposal, thread) });
  };
  let last: Promise<void> = Promise.resolve();
  return (seen) => {
    const told = last.then(() => tell(seen));
    last = told.catch(() => undefined);
    return told;
  };
}
