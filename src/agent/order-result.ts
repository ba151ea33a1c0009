import { ToolMessage } from '@langchain/core/messages';
import { Command, END } from '@langchain/langgraph';
import { TradeAgentError } from '../trading/errors.ts';
import { describeMessage } from '../trading/message.ts';
import type { OrderStateValue, Outcome, ToolCall } from './agent-state.ts';
import type { Approval, MessageApproval } from './approval-store.ts';
import { describeSubject } from './approval-subject.ts';
import type { GraphEnvironment } from './graph-environment.ts';
import { orderSummary } from './order-summary.ts';
import { errorFacts, errorMessage } from './tool-outcome.ts';

/** Ends an order's way with an error, before or after the person was asked. */
export function failed(
  environment: GraphEnvironment,
  state: OrderStateValue,
  error: TradeAgentError,
): Command {
  const { call, prompt, turn } = state;
  const facts = errorFacts(error);
  tellResult(environment, call, false, facts.message);
  return new Command({
    goto: END,
    update: {
      messages: [errorMessage(call, facts)],
      outcomes: [{ prompt, turn, tool: call.name, error: facts }],
    },
  });
}

/** Ends an order's way with what its approval came to. */
export function settled(environment: GraphEnvironment, state: OrderStateValue, approval: Approval): Command {
  const { call, prompt, turn } = state;
  if (approval.kind === 'message') return settledMessage(environment, state, approval);
  const { placed } = approval;
  if (approval.status !== 'executed' || placed === undefined) {
    return failed(environment, state, refusalOf(approval));
  }
  const ok = placed.status !== 'rejected';
  tellResult(environment, call, ok, orderSummary(placed));
  const outcome: Outcome = {
    prompt,
    turn,
    tool: call.name,
    ...(ok
      ? {}
      : {
          error: {
            code: 'broker_rejected',
            message: 'the broker rejected the order',
            hint: 'Ask the broker why.',
          },
        }),
  };
  return new Command({
    goto: END,
    update: {
      messages: [
        new ToolMessage({
          tool_call_id: call.id,
          name: call.name,
          content: JSON.stringify({ approval: 'approved', code: approval.code, order: placed }),
        }),
      ],
      outcomes: [outcome],
    },
  });
}

function settledMessage(
  environment: GraphEnvironment,
  state: OrderStateValue,
  approval: MessageApproval,
): Command {
  const { call, prompt, turn } = state;
  const { sent } = approval;
  if (approval.status !== 'executed' || sent === undefined) {
    return failed(environment, state, refusalOf(approval));
  }
  tellResult(environment, call, true, `sent: ${describeMessage(sent)}`);
  return new Command({
    goto: END,
    update: {
      messages: [
        new ToolMessage({
          tool_call_id: call.id,
          name: call.name,
          content: JSON.stringify({ approval: 'approved', code: approval.code, sent }),
        }),
      ],
      outcomes: [{ prompt, turn, tool: call.name }],
    },
  });
}

/** The call's one result event, with the time since it was made in this run, the person's thinking included. */
function tellResult(
  { emit, clock, callsStarted }: GraphEnvironment,
  { id, name }: ToolCall,
  ok: boolean,
  summary: string,
): void {
  const now = clock.now();
  emit({ type: 'tool_result', id, name, ok, summary, ms: now - (callsStarted.get(id) ?? now) });
}

/** The error that stands for an approval which ended without an order. */
export function refusalOf(approval: Approval): TradeAgentError {
  const order = describeSubject(approval);
  const nothing = approval.kind === 'message' ? 'Nothing was sent.' : 'Nothing was traded.';
  switch (approval.status) {
    case 'denied':
      return new TradeAgentError('approval_denied', `${order} was denied on the phone`, {
        hint: nothing,
      });
    case 'expired':
      return new TradeAgentError(
        'approval_expired',
        `${order}: ${approval.reason ?? 'the approval expired'}`,
        {
          hint: `${nothing} Ask for it again.`,
        },
      );
    case 'cancelled':
      return new TradeAgentError(
        approval.reasonCode ?? 'approval_cancelled',
        `${order}: ${approval.reason ?? 'it was taken back'}`,
        { hint: nothing },
      );
    default:
      return new TradeAgentError(
        approval.reasonCode ?? 'blocked',
        `${order}: ${approval.reason ?? 'it was blocked'}`,
        { hint: approval.reasonCode === 'outcome_unknown' ? 'It is not sent a second time.' : nothing },
      );
  }
}
