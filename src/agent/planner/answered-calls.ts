import { AIMessage, type BaseMessage, ToolMessage } from '@langchain/core/messages';

export interface AnsweredCall {
  readonly tool: string;
  readonly args: Record<string, unknown>;
  readonly content: unknown;
}

/** Returns the calls for the newest prompt, in order, with their results. */
export function findAnsweredCalls(conversation: readonly BaseMessage[]): AnsweredCall[] {
  const messages = conversation.slice(conversation.findLastIndex(({ type }) => type === 'human') + 1);
  const answers = new Map(
    messages.flatMap((message) => (ToolMessage.isInstance(message) ? [[message.tool_call_id, message.text]] : [])) as [
      string,
      string,
    ][],
  );
  return messages.flatMap((message) =>
    AIMessage.isInstance(message)
      ? (message.tool_calls ?? []).map(({ id, name, args }) => ({
          tool: name,
          args,
          content: JSON.parse(answers.get(id ?? '') ?? '{"error":{"message":"this was not done"}}') as unknown,
        }))
      : [],
  );
}
