import { AIMessage, type BaseMessage, HumanMessage, ToolMessage } from '@langchain/core/messages';
import { extractStandardInput, markUntrustedText } from './system-prompt.ts';

interface Prompt {
  readonly text: string;
  readonly composedBy: string | undefined;
}

/** Creates the message for a prompt. @param composedBy the program that composed the prompt, if no person wrote it */
export function createPromptMessage(text: string, composedBy?: string): HumanMessage {
  return new HumanMessage({
    content: text,
    ...(composedBy === undefined ? {} : { additional_kwargs: { composed_by: composedBy } }),
  });
}

export function extractPrompts(messages: readonly BaseMessage[]): Prompt[] {
  return messages.flatMap((message) => {
    if (!HumanMessage.isInstance(message) || extractStandardInput(message.text) !== undefined) return [];
    const { composed_by } = message.additional_kwargs;
    return [{ text: message.text, composedBy: typeof composed_by === 'string' ? composed_by : undefined }];
  });
}

/**
 * Returns the thread in the form that chat APIs accept: every call is followed by its result. If an interrupted run
 * left a call without a result, adds an error as its result.
 */
export function addMissingToolResults(messages: readonly BaseMessage[]): BaseMessage[] {
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
                content: '{"error":{"code":"interrupted","message":"the run was stopped before this was done"}}',
              }),
          ],
    );
    return [message, ...replies];
  });
}

/** Returns the history for a language model, with marks around tool results that contain text from outside sources. */
export function markOutsideText(messages: readonly BaseMessage[]): BaseMessage[] {
  return messages.map((message) => {
    const { outside } = message.additional_kwargs;
    if (!ToolMessage.isInstance(message) || typeof outside !== 'string') return message;
    const { tool_call_id, name = '', text } = message;
    return new ToolMessage({ tool_call_id, name, content: markUntrustedText(outside, text) });
  });
}
