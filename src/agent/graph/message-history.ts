import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { readContext, untrusted } from './system-prompt.ts';

/** What a run was asked, and by whom where a program put the words together. */
interface Prompt {
  readonly text: string;
  /** `check`; undefined where a person said it. */
  readonly composedBy: string | undefined;
}

/** A prompt as the conversation keeps it. @param composedBy the program that put it together, where no person said it */
export function promptMessage(text: string, composedBy?: string): HumanMessage {
  return new HumanMessage({
    content: text,
    ...(composedBy === undefined ? {} : { additional_kwargs: { composed_by: composedBy } }),
  });
}

/** All that was asked in a conversation, oldest first; what was handed over as data is none of it. */
export function prompts(messages: readonly BaseMessage[]): Prompt[] {
  return messages.flatMap((message) => {
    if (!HumanMessage.isInstance(message) || readContext(message.text) !== undefined) return [];
    const { composed_by } = message.additional_kwargs;
    return [{ text: message.text, composedBy: typeof composed_by === 'string' ? composed_by : undefined }];
  });
}

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

/** As a language model is given it: what a tool of ours read that others wrote stands between marks of its source. */
export function outsideMarked(messages: readonly BaseMessage[]): BaseMessage[] {
  return messages.map((message) => {
    const { outside } = message.additional_kwargs;
    if (!ToolMessage.isInstance(message) || typeof outside !== 'string') return message;
    const { tool_call_id, name = '', text } = message;
    return new ToolMessage({ tool_call_id, name, content: untrusted(outside, text) });
  });
}
