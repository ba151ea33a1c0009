import { TradeAgentError } from '../../errors/errors.ts';
import { ordersNamed } from '../planner/orders-named.ts';
import type { AgentStateValue, Asks } from './agent-state.ts';
import { composedOrders } from './composed-orders.ts';
import { prompts } from './message-history.ts';

/** Proposals per prompt unless the person's own words name more: nobody reviews many approvals with care. */
const MOST_ASKS = 5;

export function asksOf(
  state: Pick<AgentStateValue, 'messages' | 'outcomes' | 'prompt'>,
): (index: number) => Asks {
  const asked = state.outcomes.filter((outcome) => outcome.prompt === state.prompt && outcome.asked === true);
  const denied = asked.some(({ error }) => error?.code === 'approval_denied');
  const most =
    composedOrders(state.messages) ??
    Math.max(MOST_ASKS, ordersNamed(prompts(state.messages).map(({ text }) => text)));
  return (index) => ({ ordinal: asked.length + index + 1, most, denied });
}

/** @throws {TradeAgentError} `approval_denied`, `blocked` where the person is not to be asked (again) */
export function requireAsks({ ordinal, most, denied }: Asks): void {
  if (denied) {
    throw new TradeAgentError(
      'approval_denied',
      'the user has just denied a proposal: no other is made now',
      {
        hint: 'Propose nothing more until the user asks for something again.',
      },
    );
  }
  if (ordinal > most) {
    throw new TradeAgentError('blocked', `no more than ${most} proposals are made for one request`, {
      hint: 'The user can ask for the rest in a message of their own.',
    });
  }
}
