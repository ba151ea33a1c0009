import { AIMessage, type BaseMessage, ToolMessage } from '@langchain/core/messages';
import { defined } from '../../values/defined.ts';

const LEFT_OUT =
  '{"left_out":"this result was dropped to make the conversation fit; call the tool again if needed"}';

/**
 * Drops the oldest tool results, but none since the model's last message. Every call keeps an answer, as chat APIs
 * require. Undefined if nothing can be saved.
 * @param enough characters to save
 */
export function shorterHistory(
  messages: readonly BaseMessage[],
  enough = Number.POSITIVE_INFINITY,
): BaseMessage[] | undefined {
  const lastTurn = messages.findLastIndex((message) => AIMessage.isInstance(message));
  let saved = 0;
  const shorter = messages.map((message, index) => {
    if (index > lastTurn || saved >= enough || !ToolMessage.isInstance(message)) return message;
    if (message.text.length <= LEFT_OUT.length) return message;
    saved += message.text.length - LEFT_OUT.length;
    return new ToolMessage({
      tool_call_id: message.tool_call_id,
      ...defined({ name: message.name }),
      content: LEFT_OUT,
    });
  });
  return saved > 0 ? shorter : undefined;
}
