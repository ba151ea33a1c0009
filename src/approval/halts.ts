import type { ProposalKind } from '../trading/proposal.ts';

/** Cancels always pass, and what lifts the halt must. */
export function passesHalt(kind: ProposalKind): boolean {
  return kind === 'cancel' || kind === 'lift';
}

/** Why nothing came of a proposal, where trading is halted. */
export const haltedReason = {
  code: 'policy_denied',
  text: 'trading is halted',
  members: { reason: 'TRADING_HALTED', reasons: ['TRADING_HALTED'] },
} as const;
