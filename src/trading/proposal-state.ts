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

/** Whether it can no longer change: of one that expired, an order may still be found at the broker. */
export function isFinalState(state: ProposalState): boolean {
  return isSettledState(state) && state !== 'expired';
}

/** Whether it may be on its way or done, with nobody having said so yet. */
export function isUnderWayState(state: ProposalState): boolean {
  return state === 'executing' || state === 'unknown';
}
