import { AIMessage, type BaseMessage, ToolMessage } from '@langchain/core/messages';
import type { StateStores } from '../../store/state-stores.ts';
import type { ThreadMessage } from '../events.ts';
import type { AgentStateValue } from '../graph/agent-state.ts';
import { extractStandardInput } from '../graph/system-prompt.ts';

/** Reads the messages of the latest checkpoint. Returns an empty list if the thread has no checkpoint yet. */
export async function readConversation(
  { history }: Pick<StateStores, 'history'>,
  thread: string,
): Promise<ThreadMessage[]> {
  const { messages } = await latestState({ history }, thread);
  return (messages ?? []).map(threadMessage);
}

/** Returns the 1-based number of the latest run's prompt, or 0 if the thread has no checkpoint. */
export async function readLatestPromptNumber(stores: Pick<StateStores, 'history'>, thread: string): Promise<number> {
  return (await latestState(stores, thread)).prompt ?? 0;
}

async function latestState(
  { history }: Pick<StateStores, 'history'>,
  thread: string,
): Promise<Partial<AgentStateValue>> {
  const tuple = await (await history()).getTuple({ configurable: { thread_id: thread } });
  return (tuple?.checkpoint.channel_values ?? {}) as Partial<AgentStateValue>;
}

function threadMessage(message: BaseMessage): ThreadMessage {
  if (AIMessage.isInstance(message)) {
    const calls = (message.tool_calls ?? []).map(({ id = '', name, args }) => ({ id, name, args }));
    return { role: 'agent', text: message.text, calls };
  }
  if (ToolMessage.isInstance(message)) {
    return {
      role: 'tool',
      call: message.tool_call_id,
      name: message.name ?? '',
      ok: message.status !== 'error',
      text: message.text,
    };
  }
  const context = extractStandardInput(message.text);
  return context === undefined ? { role: 'user', text: message.text } : { role: 'context', text: context };
}
