import { ToolMessage } from '@langchain/core/messages';
import { isTradeAgentError, TradeAgentError } from '../trading/errors.ts';
import { problemMembers } from '../trading/problem-members.ts';
import type { ToolCall } from './agent-state.ts';
import type { ErrorFacts } from './events.ts';
import { inertJson } from './inert-text.ts';
import { databaseFailure } from './state-database.ts';

/** Our own errors as they are; anything else without its text, which could hold what it should not. */
export function asTradeAgentError(error: unknown): TradeAgentError {
  if (isTradeAgentError(error)) return error;
  const known = databaseFailure(error);
  if (isTradeAgentError(known)) return known;
  return new TradeAgentError('internal', 'something went wrong inside trade-agent', { cause: error });
}

export function errorFacts(error: TradeAgentError): ErrorFacts {
  return {
    code: error.code,
    message: error.message,
    ...(error.hint === undefined ? {} : { hint: error.hint }),
    ...problemMembers(error.details),
  };
}

/** The answer to a tool call that failed, for the model to explain. */
export function errorMessage(call: ToolCall, error: ErrorFacts): ToolMessage {
  return new ToolMessage({
    tool_call_id: call.id,
    name: call.name,
    status: 'error',
    content: inertJson(JSON.stringify({ error })),
  });
}
