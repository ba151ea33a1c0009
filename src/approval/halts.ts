import type { Reason } from '../store/proposal-store.ts';
import { kinds, type ProposalKind } from '../trading/kinds/kinds.ts';

/** Cancels always pass, and what lifts the halt must. */
export function passesHalt(kind: ProposalKind): boolean {
  return kinds[kind].passesHalt;
}

/** Why nothing came of a proposal, where whoever proposed it may not any more. */
export const revokedReason: Reason = {
  code: 'approval_cancelled',
  text: 'withdrawn: the sign-in that it came by was ended',
};

/** Why nothing came of a proposal, where trading is halted. */
export const haltedReason = {
  code: 'policy_denied',
  text: 'trading is halted',
  members: { reason: 'TRADING_HALTED', reasons: ['TRADING_HALTED'] },
} as const satisfies Reason;
