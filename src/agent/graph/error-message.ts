import { ToolMessage } from '@langchain/core/messages';
import type { ErrorFacts } from '../events.ts';
import type { ToolCall } from './agent-state.ts';
import { neutralizeJsonMarkers } from './inert-text.ts';

/**
 * Returns the tool message that reports an error as a call's result. This function is not in error-facts.ts, because
 * listing approvals loads that file and must not load LangChain.
 */
export function createErrorToolMessage(call: ToolCall, error: ErrorFacts): ToolMessage {
  return new ToolMessage({
    tool_call_id: call.id,
    name: call.name,
    status: 'error',
    content: neutralizeJsonMarkers(JSON.stringify({ error })),
  });
}
