import type { CallbackManagerForLLMRun } from '@langchain/core/callbacks/manager';
import { BaseChatModel } from '@langchain/core/language_models/chat_models';
import { AIMessageChunk, type BaseMessage } from '@langchain/core/messages';
import { ChatGenerationChunk, type ChatResult } from '@langchain/core/outputs';
import { english, type Say } from '../../text/phrase.ts';
import { parseNewestTurn } from '../reader/conversation.ts';
import { languageOf } from '../reader/language.ts';
import { NotUnderstoodError, type PlannerRefusal, REFUSAL_KEY, translateRefusal } from '../reader/refusal.ts';
import { composeAnswer, joinHint } from './answer.ts';
import { type AnsweredCall, findAnsweredCalls } from './answered-calls.ts';
import { loadSay } from './catalogs.ts';
import { helpText } from './help-text.ts';
import type { PlannerStep } from './lookup-step.ts';
import { formatRebalanceAnswer, planLookups, planPriceLookups, planSteps } from './steps.ts';

/** Maximum number of tool calls per turn. Further calls wait for the next turn. */
const MAX_CALLS_PER_TURN = 20;

type Turn =
  | { readonly calls: readonly PlannerStep[] }
  | { readonly text: string }
  | { readonly refusal: PlannerRefusal };

/**
 * A chat model that is not a language model. It reads the last message's words into slots (src/agent/reader/), calls
 * the tools, and renders their results. It is deterministic, offline and free. It never guesses: if a word of the
 * request fills no slot, it does nothing.
 */
export class BuiltinPlanner extends BaseChatModel {
  constructor() {
    super({});
  }

  override _llmType(): string {
    return 'trade-agent-planner';
  }

  override async getNumTokens(): Promise<number> {
    return 0;
  }

  override async _generate(messages: BaseMessage[]): Promise<ChatResult> {
    const message = toMessage(await nextTurnInLanguage(messages));
    return { generations: [{ text: message.text, message }] };
  }

  override async *_streamResponseChunks(
    messages: BaseMessage[],
    _options: this['ParsedCallOptions'],
    runManager?: CallbackManagerForLLMRun,
  ): AsyncGenerator<ChatGenerationChunk> {
    const turn = await nextTurnInLanguage(messages);
    const message = toMessage(turn);
    if ('calls' in turn) {
      yield new ChatGenerationChunk({ text: '', message });
      return;
    }
    // Streams line by line, as a model would.
    const [first = '', ...lines] = message.text.split(/(?<=\n)/);
    message.content = first;
    yield new ChatGenerationChunk({ text: first, message });
    await runManager?.handleLLMNewToken(first);
    for (const line of lines) {
      yield new ChatGenerationChunk({ text: line, message: new AIMessageChunk(line) });
      await runManager?.handleLLMNewToken(line);
    }
  }
}

/** Returns the planner's next turn, in the person's language. */
async function nextTurnInLanguage(messages: readonly BaseMessage[]): Promise<Turn> {
  return nextTurn(messages, await loadSay(languageOf(userTurns(messages))));
}

/** Returns the planner's next turn, which depends only on the messages. */
export function nextTurn(messages: readonly BaseMessage[], say: Say = english): Turn {
  const { parsed } = parseNewestTurn(userTurns(messages));
  if ('refusal' in parsed) return { refusal: translateRefusal(say, parsed.refusal) };
  const { intents } = parsed;
  const done = findAnsweredCalls(messages);
  try {
    const wanted = planLookups(intents);
    if (done.length < wanted.length) return { calls: wanted };
    const lookedUp = done.slice(0, wanted.length);
    if (lookedUp.some(isFailure)) return { text: composeAnswer(lookedUp.filter(isFailure), say) };
    const found = wanted.map((step, index) => ({ step, content: lookedUp[index]?.content }));
    const prices = planPriceLookups(intents, found);
    const known = wanted.length + prices.length;
    if (done.length < known) return { calls: prices };
    const priced = prices.map((step, index) => ({ step, content: done[wanted.length + index]?.content }));
    const all = planSteps(intents, [...found, ...priced]);
    const made = done.length - known;
    if (made < all.length) return { calls: all.slice(made, made + MAX_CALLS_PER_TURN) };
    const said = intents.flatMap((intent) =>
      intent.kind === 'help' ? [helpText(say)] : intent.kind === 'say' ? [intent.text.in(say)] : [],
    );
    const results = done.slice(known).map((each, index) => ({ ...each, view: all[index]?.view }));
    const answers = results.length > 0 ? [composeAnswer(results, say)] : [];
    const rebalanced = lookedUp.flatMap(({ tool, content }) =>
      tool === 'suggest_rebalance' ? [formatRebalanceAnswer(content, say)] : [],
    );
    const isNothing = all.length === 0 && said.length + rebalanced.length === 0;
    const nothing = isNothing ? [say`There is no open order to cancel.`] : [];
    return { text: [...said, ...answers, ...rebalanced, ...nothing].join('\n\n') };
  } catch (error) {
    if (error instanceof NotUnderstoodError) return { refusal: translateRefusal(say, error.refusal) };
    throw error;
  }
}

/** Returns the person's turns, oldest first. Prompts composed by programs are left out, except the newest prompt. */
function userTurns(messages: readonly BaseMessage[]): string[] {
  return messages.flatMap((message, at) => {
    const isNewest = !messages.slice(at + 1).some(({ type }) => type === 'human');
    const isPersons = message.type === 'human' && message.additional_kwargs.composed_by === undefined;
    return isPersons || (message.type === 'human' && isNewest) ? [message.text] : [];
  });
}

function isFailure({ content }: AnsweredCall): boolean {
  return typeof content === 'object' && content !== null && 'error' in content;
}

function toMessage(turn: Turn): AIMessageChunk {
  if ('calls' in turn) {
    return new AIMessageChunk({
      content: '',
      tool_call_chunks: turn.calls.map(({ name, args }, index) => ({
        type: 'tool_call_chunk',
        index,
        id: `call_${index}`,
        name,
        args: JSON.stringify(args),
      })),
    });
  }
  if ('refusal' in turn) {
    const { refusal } = turn;
    return new AIMessageChunk({
      content: joinHint(refusal.message, refusal.hint),
      response_metadata: { [REFUSAL_KEY]: refusal },
    });
  }
  return new AIMessageChunk(turn.text);
}
