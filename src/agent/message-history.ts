import { AIMessage, type BaseMessage, ToolMessage } from '@langchain/core/messages';

/**
 * The thread as a chat API accepts it: each call followed by its answer. A call left open by a run that was cut off is
 * answered with that fact; the state keeps the truth.
 */
export function answerEveryCall(messages: readonly BaseMessage[]): BaseMessage[] {
  const answers = new Map<string, BaseMessage>();
  for (const message of messages) {
    if (ToolMessage.isInstance(message)) answers.set(message.tool_call_id, message);
  }
  return messages.flatMap((message) => {
    if (ToolMessage.isInstance(message)) return [];
    if (!AIMessage.isInstance(message)) return [message];
    const replies = (message.tool_calls ?? []).flatMap((call) =>
      call.id === undefined
        ? []
        : [
            answers.get(call.id) ??
              new ToolMessage({
                tool_call_id: call.id,
                name: call.name,
                status: 'error',
                content:
                  '{"error":{"code":"interrupted","message":"the run was stopped before this was done"}}',
              }),
          ],
    );
    return [message, ...replies];
  });
}
