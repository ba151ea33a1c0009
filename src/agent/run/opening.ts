import { type BaseMessage, HumanMessage } from '@langchain/core/messages';
import type { RunInput } from '../agent.ts';
import { saidUnder } from '../graph/circumstances.ts';
import { orderMessages, orderWords } from '../graph/composed-orders.ts';
import { promptMessage } from '../graph/message-history.ts';
import { STANDARD_INPUT, untrustedContext } from '../graph/system-prompt.ts';

/** What a thread is called that begins with this. @throws {TradeAgentError} `usage` for too many orders, or none */
export function titleOf(input: RunInput): string {
  return 'orders' in input ? orderWords(input.orders) : input.prompt;
}

/**
 * What a run adds to its thread's conversation before anything is done, and the outside texts in that.
 * @param under what a language model is told beside the prompt: `graph/circumstances.ts`
 */
export function opening(input: RunInput, under: string): { messages: BaseMessage[]; tainted: string[] } {
  if ('orders' in input) return { messages: orderMessages(input), tainted: [] };
  const { prompt, context = '' } = input;
  const said = saidUnder(promptMessage(prompt), under);
  if (context.trim() === '') return { messages: [said], tainted: [] };
  return { messages: [new HumanMessage(untrustedContext(context)), said], tainted: [STANDARD_INPUT] };
}
