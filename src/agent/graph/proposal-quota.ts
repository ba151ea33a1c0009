import { TradeAgentError } from '../../errors/errors.ts';
import { countNamedOrders } from '../reader/utterance.ts';
import type { AgentStateValue, ProposalQuota } from './agent-state.ts';
import { countComposedProposals } from './composed-orders.ts';
import { extractPrompts } from './message-history.ts';

/** Maximum number of proposals per prompt, unless the person names more orders. Few people would review more. */
const MAX_PROPOSALS_PER_PROMPT = 5;

export function createProposalQuota(
  state: Pick<AgentStateValue, 'messages' | 'outcomes' | 'prompt'>,
): (index: number) => ProposalQuota {
  const asked = state.outcomes.filter((outcome) => outcome.prompt === state.prompt && outcome.asked === true);
  const denied = asked.some(({ error }) => error?.code === 'approval_denied');
  const most =
    countComposedProposals(state.messages) ??
    Math.max(MAX_PROPOSALS_PER_PROMPT, countNamedOrders(extractPrompts(state.messages).map(({ text }) => text)));
  return (index) => ({ ordinal: asked.length + index + 1, most, denied });
}

/** Requires that another proposal is allowed. @throws {TradeAgentError} `approval_denied`, `blocked` */
export function requireProposalQuota({ ordinal, most, denied }: ProposalQuota): void {
  if (denied) {
    throw new TradeAgentError('approval_denied', 'the user just denied a proposal, so no other can be made now', {
      hint: 'Propose nothing more until the user asks for something again.',
    });
  }
  if (ordinal > most) {
    throw new TradeAgentError('blocked', `at most ${most} proposals can be made for one request`, {
      hint: 'The user can ask for the rest in a new message.',
    });
  }
}
