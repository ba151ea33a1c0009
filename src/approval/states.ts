import { isSettledState, type ProposalState, proposalStates } from '../trading/proposal.ts';

/**
 * Every change a proposal may go through; what isn't here can't happen. `move` in `proposal-store.ts`, a
 * compare-and-set, is the one writer.
 *
 * - `drafted → approved`: by a mandate that the owner gave before; nobody is asked.
 * - `drafted → denied`: the answer to an earlier question arrived, while the person was about to be asked again.
 * - `requested → requested`: one of two people said yes, and the other is asked.
 * - `requested → drafted`: the answer was lost after the person decided, so they are asked again.
 * - `executing → approved`: it certainly came to nothing (the broker was busy), and the approval still stands.
 * - `executing → executing`: a gateway that died in between goes on.
 * - `expired → executed`: the order had been written off, and was found at the broker afterwards. Proof overrides inference.
 * - `unknown` is not an end: the order may be at the broker. Only an answer about it leads out.
 */
export const transitions: Readonly<Record<ProposalState, readonly ProposalState[]>> = {
  drafted: ['requested', 'approved', 'denied', 'expired', 'cancelled', 'blocked'],
  requested: ['requested', 'drafted', 'approved', 'denied', 'expired', 'cancelled', 'blocked'],
  approved: ['executing', 'expired', 'cancelled', 'blocked'],
  executing: ['executing', 'approved', 'executed', 'blocked', 'expired', 'unknown'],
  unknown: ['executing', 'executed', 'blocked', 'expired'],
  executed: [],
  denied: [],
  expired: ['executed'],
  cancelled: [],
  blocked: [],
};

/** The states that are not settled, for queries. */
export const openStates = proposalStates.filter((state) => !isSettledState(state));
