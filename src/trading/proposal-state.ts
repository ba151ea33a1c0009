export const proposalStates = [
  'drafted',
  'requested',
  'approved',
  'executing',
  'executed',
  'denied',
  'expired',
  'cancelled',
  'blocked',
  'unknown',
] as const; // prettier-ignore
export type ProposalState = (typeof proposalStates)[number];

export function isSettledState(state: ProposalState): boolean {
  return ['executed', 'denied', 'expired', 'cancelled', 'blocked'].includes(state);
}

/** Whether the state is final. `expired` is not, because the order may later be found at the broker. */
export function isFinalState(state: ProposalState): boolean {
  return isSettledState(state) && state !== 'expired';
}

/** Returns whether the action may have been carried out without a confirmed outcome. */
export function isInProgressState(state: ProposalState): boolean {
  return state === 'executing' || state === 'unknown';
}
