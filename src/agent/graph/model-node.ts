import { AIMessage, type AIMessageChunk, type BaseMessage, SystemMessage } from '@langchain/core/messages';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { safeLine } from '../../text/shown-text.ts';
import type { ErrorFacts } from '../events.ts';
import { HeldText } from '../model/held-text.ts';
import { addUsage, usageOf } from '../model/usage.ts';
import { ordersSaid } from '../planner/orders-named.ts';
import { type PlannerRefusal, REFUSAL } from '../planner/refusal.ts';
import { type AgentStateValue, type Outcome, standingOutcomes, type ToolCall } from './agent-state.ts';
import { callWords, ordersOfCall } from './call-words.ts';
import { composedAnswer } from './composed-orders.ts';
import type { GraphEnvironment } from './graph-environment.ts';
import { answerEveryCall, outsideMarked, prompts } from './message-history.ts';
import { type ReadAnswer, readAnswer, rejections, UNREADABLE } from './read-answer.ts';
import { systemPrompt, withCircumstances } from './system-prompt.ts';

/** Consecutive turns of invalid calls before the run ends. */
const MAX_MISTAKES = 3;
/** Answers per prompt that almost parse as a call: after the first the model is asked once more. */
const MOST_NEARLY = 2;
const faulty = new Set(['usage', 'invalid_order', 'invalid_message']);

type Update = Partial<AgentStateValue>;

/** Calls the model once. */
export function modelNode(environment: GraphEnvironment) {
  const { model, emit, maxTurns } = environment;
  return async (state: AgentStateValue): Promise<Update> => {
    const composed = composedAnswer(state.messages);
    if (composed !== undefined) {
      emit({ type: 'text', delta: composed });
      return { messages: [new AIMessage(composed)], turns: state.turns + 1 };
    }
    if (state.turns >= maxTurns) {
      const message = `stopped after ${maxTurns} model calls`;
      return ended(state, `I ${message}.`, message, 'Raise --max-turns, or ask for less at once.');
    }
    const mistakes = mistakesUntilNow(state);
    if (mistakes >= MAX_MISTAKES) return gaveUp(environment, { ...state, mistakes });

    const held = new HeldText();
    const show = (delta: string) => {
      if (delta !== '') emit({ type: 'text', delta });
    };
    const answer = await ask(environment, state, (text) => show(model.builtin ? text : held.push(text)));
    const read = readAnswer(environment, answer, state.messages);
    if (read.nearly === undefined && read.message.text !== '') show(held.rest());
    return {
      ...after(environment, { ...state, mistakes }, answer, read),
      turns: state.turns + 1,
      usage: addUsage(state.usage, usageOf(answer, environment.profile.model.price)),
    };
  };
}

/** @throws {TradeAgentError} `model_error`, `interrupted` */
async function ask(
  { model, signal, emit, readOnly }: GraphEnvironment,
  { messages }: AgentStateValue,
  show: (text: string) => void,
): Promise<AIMessageChunk> {
  let answer: AIMessageChunk | undefined;
  try {
    signal.throwIfAborted();
    const history = answerEveryCall(messages);
    const given = model.builtin ? history : withCircumstances(outsideMarked(history));
    const notice = (message: string) => emit({ type: 'notice', message });
    const prompt = [new SystemMessage(systemPrompt({ readOnly })), ...given];
    for await (const chunk of model.stream(prompt, signal, notice)) {
      answer = answer === undefined ? chunk : answer.concat(chunk);
      show(chunk.text);
    }
  } catch (error) {
    if (signal.aborted) throw isTradeAgentError(signal.reason) ? signal.reason : interrupted();
    throw error;
  }
  if (answer?.response_metadata.finish_reason === 'length') {
    emit({
      type: 'notice',
      message: 'the answer was cut off: the model’s server lets it write no more at once',
    });
  }
  if (answer !== undefined) return answer;
  throw new TradeAgentError('model_error', 'the model answered nothing', { hint: 'Try again.' });
}

function after(
  environment: GraphEnvironment,
  state: AgentStateValue,
  answer: AIMessageChunk,
  read: ReadAnswer,
): Update {
  const { prompt } = state;
  const turn = state.turns + 1;
  const calls = read.message.tool_calls?.length ?? 0;
  const mistakes = state.mistakes + (calls > 0 && read.rejected.length === calls ? 1 : 0);
  const outcomes: Outcome[] = read.rejected
    .filter(({ repeated }) => repeated === undefined)
    .map(({ call, problem }) => ({
      prompt,
      turn,
      tool: call.name,
      unusable: true,
      ...(read.nearly === undefined ? { what: callWords(call) } : {}),
      error: { code: 'model_error', message: read.nearly === undefined ? problem : NEARLY, hint: ANOTHER },
    }));
  const refusal = answer.response_metadata[REFUSAL] as PlannerRefusal | undefined;
  if (environment.model.builtin && refusal !== undefined) {
    outcomes.push({ prompt, turn, tool: 'planner', error: refusal });
  }
  const messages: BaseMessage[] = [read.message, ...rejections(read.rejected)];
  const ends =
    mistakes >= MAX_MISTAKES || (read.nearly !== undefined && nearlyBefore(state) + 1 >= MOST_NEARLY);
  if (ends) return gaveUp(environment, { ...state, mistakes }, { messages, outcomes });
  if (calls > 0 || environment.model.builtin) return { messages, outcomes, mistakes };
  return { mistakes, ...withUndone(environment, state, read.message, outcomes) };
}

function withUndone(
  { emit }: GraphEnvironment,
  state: AgentStateValue,
  message: AIMessage,
  outcomes: Outcome[],
): Update {
  const { prompt, messages } = state;
  if (message.text.trim() === '') {
    const words = 'I have no answer: the model said nothing.';
    emit({ type: 'text', delta: words });
    return ended(state, words, 'the model answered nothing', 'Try again, or another model.');
  }
  const all = [...state.outcomes, ...outcomes].filter((outcome) => outcome.prompt === prompt);
  const { lines, forgotten } = undoneActs(messages, all, message.text);
  if (lines.length === 0) return { messages: [message], outcomes };
  const more = `\n\n${lines.join('\n')}`;
  emit({ type: 'text', delta: more });
  const error = {
    code: 'model_error',
    message: `nothing was proposed for ${forgotten}`,
    hint: 'Ask for it by itself.',
  };
  return {
    messages: [new AIMessage(`${message.text}${more}`)],
    outcomes:
      forgotten === undefined
        ? outcomes
        : [...outcomes, { prompt, turn: state.turns + 1, tool: 'model', error: error as ErrorFacts }],
  };
}

const NEARLY = 'the model wrote a tool call that cannot be carried out';
const ANOTHER = 'Nothing was done with it. Try again, or another model.';

/** Consecutive faulty turns including the latest, whose outcomes are only known now. */
function mistakesUntilNow({ outcomes, prompt, turns, mistakes }: AgentStateValue): number {
  const latest = outcomes.filter((outcome) => outcome.prompt === prompt && outcome.turn === turns);
  if (latest.some(({ error }) => error === undefined)) return 0;
  const areFaulty = latest.every(({ error, unusable }) => !unusable && faulty.has(error?.code ?? ''));
  return mistakes + (latest.length > 0 && areFaulty ? 1 : 0);
}

function nearlyBefore({ outcomes, prompt }: AgentStateValue): number {
  return outcomes.filter((outcome) => outcome.prompt === prompt && outcome.tool === UNREADABLE).length;
}

function gaveUp(
  { emit }: GraphEnvironment,
  state: AgentStateValue,
  added: { readonly messages: BaseMessage[]; readonly outcomes: Outcome[] } = { messages: [], outcomes: [] },
): Update {
  const text = 'the model kept making calls that cannot be understood';
  const words = `I stopped: ${text}.`;
  emit({ type: 'text', delta: words });
  const { messages = [], outcomes = [] } = ended(state, words, text, 'Try again, or another model.');
  return {
    messages: [...added.messages, ...(messages as BaseMessage[])],
    outcomes: [...added.outcomes, ...outcomes],
    mistakes: MAX_MISTAKES,
  };
}

function ended({ prompt, turns }: AgentStateValue, words: string, message: string, hint: string): Update {
  return {
    messages: [new AIMessage(words)],
    outcomes: [{ prompt, turn: turns + 1, tool: 'model', error: { code: 'model_error', message, hint } }],
  };
}

export function isFinished(state: AgentStateValue, maxTurns: number): boolean {
  return state.mistakes >= MAX_MISTAKES || state.turns > maxTurns;
}

export function openCalls(messages: readonly BaseMessage[]): ToolCall[] {
  const last = messages.findLastIndex((message) => AIMessage.isInstance(message));
  const answered = new Set(
    messages.slice(last + 1).flatMap((message) => ('tool_call_id' in message ? [message.tool_call_id] : [])),
  );
  const calls = (messages[last] as AIMessage | undefined)?.tool_calls ?? [];
  return calls.flatMap((call) =>
    call.id === undefined || answered.has(call.id) ? [] : [{ id: call.id, name: call.name, args: call.args }],
  );
}

function interrupted(): TradeAgentError {
  return new TradeAgentError('interrupted', 'the run was stopped');
}

const LONGEST_REASON = 200;
/** Words that make an order optional. */
const conditional = /\b(?:if|or|otherwise|unless|instead|when|whichever|either|should|what|would|could)\b/i;

/**
 * Computes what the latest prompt left undone: failed calls, and orders the person named that the model never proposed.
 * The model's own last words may leave out either.
 */
function undoneActs(messages: readonly BaseMessage[], outcomes: readonly Outcome[], said: string) {
  const failed = standingOutcomes(outcomes).flatMap(({ what, error }) =>
    what === undefined ? [] : [`Not done: ${what} (${safeLine(error.message, LONGEST_REASON)}).`],
  );
  const asked = prompts(messages).flatMap(({ text, composedBy }) => (composedBy === undefined ? [text] : []));
  const named = ordersSaid(asked);
  const from = messages.findLastIndex(({ type }) => type === 'human');
  const called = messages
    .slice(from + 1)
    .flatMap((message) =>
      AIMessage.isInstance(message) ? (message.tool_calls ?? []).flatMap(ordersOfCall) : [],
    );
  const forgotten = named.filter(
    ({ side, symbol }) => !called.some((order) => order.side === side && order.symbol === symbol),
  );
  const words = forgotten.map(({ side, symbol }) => `${side} ${symbol}`).join(', ');
  const isPart = forgotten.length > 0 && called.length > 0;
  const isNone = named.length > 0 && called.length === 0 && !said.trimEnd().endsWith('?');
  return {
    lines: [
      ...new Set(failed),
      ...(isPart
        ? [`Not proposed: ${words}.`]
        : isNone && failed.length === 0
          ? ['No order was proposed.']
          : []),
    ],
    /** Orders the person named that were not proposed although others were. */
    forgotten: isPart && !conditional.test(asked.at(-1) ?? '') ? words : undefined,
  };
}
