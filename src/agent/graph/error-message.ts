import { ToolMessage } from '@langchain/core/messages';
import type { ErrorFacts } from '../events.ts';
import type { ToolCall } from './agent-state.ts';
import { inertJson } from './inert-text.ts';

/** A file of its own: what lists approvals reads errors, and loads no graph. */
export function errorMessage(call: ToolCall, error: ErrorFacts): ToolMessage {
  return new ToolMessage({
    tool_call_id: call.id,
    name: call.name,
    status: 'error',
    content: inertJson(JSON.stringify({ error })),
  });
}
