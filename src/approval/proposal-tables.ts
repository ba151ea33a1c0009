import type { ProposalState } from '../trading/proposal.ts';

/** What the phone is told of, for queries: what it doesn't know by itself, as it does a denial. */
export const toldStates = ['executed', 'cancelled', 'expired', 'blocked', 'unknown'] as const;

/** What the person has had their say about. */
export const decidedStates: readonly ProposalState[] = [
  'denied',
  'executed',
  'approved',
  'executing',
  'unknown',
];

/** As in a condition: SQLite takes an index of some states only for the very same list of them. */
export function namesOf(states: readonly ProposalState[]): string {
  return states.map((state) => `'${state}'`).join(', ');
}
