import { TradeAgentError } from '../../errors/errors.ts';
import { safeLine } from '../../text/sanitize.ts';
import { MAX_SENTENCE_LENGTH, sanitizeProblemMembers, toErrorCode } from '../../tools/gateway/gateway-problem.ts';
import { kinds } from '../../trading/kinds/kinds.ts';
import type { Proposal } from '../../trading/proposal.ts';
import { describeProposal } from './proposal-view.ts';

export function proposalError(proposal: Proposal): TradeAgentError {
  const { state, kind, reason } = proposal;
  const what = describeProposal(proposal);
  const { nothing, twice } = kinds[kind].phrases;
  const why = (otherwise: string) => `${what}: ${safeLine(reason?.text ?? otherwise, MAX_SENTENCE_LENGTH)}`;
  switch (state) {
    case 'denied':
      return new TradeAgentError('approval_denied', `${what} was denied on the phone`, { hint: nothing });
    case 'expired':
      return new TradeAgentError('approval_expired', why('the approval expired'), {
        hint: `${nothing} Ask for it again.`,
      });
    case 'cancelled':
      return new TradeAgentError('approval_cancelled', why('it was withdrawn'), { hint: nothing });
    case 'unknown':
      return new TradeAgentError('outcome_unknown', why('its outcome is not known'), {
        hint: `Check again with "trade-agent approvals reconcile ${proposal.id}".`,
      });
    default: {
      const code = reason === undefined ? 'blocked' : toErrorCode(reason.code, reason.members);
      return new TradeAgentError(code, why('it was blocked'), {
        hint: code === 'outcome_unknown' ? `It is not ${twice} a second time.` : nothing,
        details: {
          ...sanitizeProblemMembers(reason?.members ?? {}),
          ...(reason === undefined ? {} : { problem: safeLine(reason.code, 64) }),
        },
      });
    }
  }
}

export function brokerRejectionError({ reason }: Proposal): TradeAgentError {
  return new TradeAgentError('broker_rejected', 'the broker rejected the order', {
    hint: 'Ask the broker why.',
    details: { ...sanitizeProblemMembers(reason?.members ?? {}) },
  });
}
