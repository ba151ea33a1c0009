import { ToolMessage } from '@langchain/core/messages';
import type { ErrorFacts } from '../events.ts';
import type { ToolCall } from './agent-state.ts';
import { inertJson } from './inert-text.ts';

/**
 * Returns an error as a call's answer. In its own file, so that listing approvals, which reads errors, does not load
 * the graph.
 */
export function errorMessage(call: ToolCall, error: ErrorFacts): ToolMessage {
  return new ToolMessage({
    tool_call_id: call.id,
    name: call.name,
    status: 'error',
    content: inertJson(JSON.stringify({ error })),
  });
}
