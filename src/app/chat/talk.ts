import type { AgentEvent } from '../../agent/events.ts';
import { defined } from '../../values/defined.ts';
import type { AgentOptions, App } from '../app.ts';

/** Says something in a conversation of the chat. @param thread an earlier one to go on with */
export async function* say(
  app: App,
  options: AgentOptions,
  said: { readonly prompt: string; readonly thread: string | undefined },
  signal: AbortSignal,
): AsyncIterable<AgentEvent> {
  const { prompt, thread } = said;
  const agent = await app.agent(options);
  yield* agent.run({ prompt, ...defined({ thread }) }, { approval: 'wait', signal, requestedBy: 'chat' });
}

/** Goes on with a conversation that stopped. */
export async function* goOn(
  app: App,
  options: AgentOptions,
  thread: string,
  signal: AbortSignal,
): AsyncIterable<AgentEvent> {
  const agent = await app.agent(options);
  yield* agent.resume(thread, { approval: 'wait', signal, requestedBy: 'chat' });
}
