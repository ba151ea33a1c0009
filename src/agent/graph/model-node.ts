import {
  AIMessage,
  type AIMessageChunk,
  type BaseMessage,
  HumanMessage,
  SystemMessage,
  ToolMessage,
} from '@langchain/core/messages';
import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { safeLine } from '../../text/sanitize.ts';
import { findTool, findTools, tools } from '../../tools/catalog.ts';
import { parseMessageRequest } from '../../tools/message-tool.ts';
import { parseOrderRequest } from '../../tools/place-order.ts';
import { parseBatchRequest } from '../../tools/place-orders.ts';
import { parseStandingOrderRequest } from '../../tools/place-standing-order.ts';
import { parseReplaceRequest } from '../../tools/replace-order.ts';
import { formatCount } from '../../tools/tool.ts';
import { isObject } from '../../values/is-object.ts';
import { parseJson } from '../../values/parse-json.ts';
import type { ErrorFacts } from '../events.ts';
import { ReasoningFilter, splitReasoning, WrittenCallFilter } from '../model/held-text.ts';
import { addUsage, readResponseUsage } from '../model/usage.ts';
import { classifyResponseText, findWrittenCalls, type WrittenCall } from '../model/written-calls.ts';
import { type PlannerRefusal, REFUSAL_KEY } from '../reader/refusal.ts';
import { findNamedOrders } from '../reader/utterance.ts';
import { createShortId } from '../short-id.ts';
import { type AgentStateValue, type CallOutcome, findUncorrectedFailures, type ToolCall } from './agent-state.ts';
import { describeCall, findFalseClaim, findOrdersInCall } from './call-description.ts';
import { answerComposedOrders } from './composed-orders.ts';
import { findDraft } from './dry-run.ts';
import { createErrorToolMessage } from './error-message.ts';
import type { GraphEnvironment } from './graph-environment.ts';
import { addMissingToolResults, extractPrompts, markOutsideText } from './message-history.ts';
import { appendPromptContext, buildSystemPrompt, extractStandardInput } from './system-prompt.ts';
import { parseToolArguments } from './tool-node.ts';
import { rankTools } from './tool-selection.ts';

/** The run ends after this many consecutive turns with invalid calls. */
const MAX_MISTAKES = 3;
/** The run ends once this many of the responses to one prompt almost parse as a call. */
const MAX_NEAR_CALLS = 2;
const faultyArgumentCodes = new Set(['usage', 'invalid_order', 'invalid_message']);

type Update = Partial<AgentStateValue>;

export function createModelNode(environment: GraphEnvironment) {
  const { model, emit, maxTurns } = environment;
  return async (state: AgentStateValue): Promise<Update> => {
    const composed = answerComposedOrders(state.messages);
    if (composed !== undefined) {
      emit({ type: 'text', delta: composed });
      return { messages: [new AIMessage(composed)], turns: state.turns + 1 };
    }
    if (state.turns >= maxTurns) {
      const message = `stopped after ${maxTurns} model calls`;
      return failedUpdate(state, `I ${message}.`, message, 'Raise --max-turns, or ask for less at once.');
    }
    const mistakes = countMistakes(state);
    if (mistakes >= MAX_MISTAKES) return giveUp(environment, { ...state, mistakes });

    const held = new WrittenCallFilter();
    const thoughts = new ReasoningFilter();
    const show = (delta: string) => {
      if (delta !== '') emit({ type: 'text', delta });
    };
    const answer = await callModel(environment, state, (text) =>
      show(model.builtin ? text : held.push(thoughts.push(text))),
    );
    const { answer: text, reasoning } = model.builtin
      ? { answer: answer.text, reasoning: '' }
      : splitReasoning(answer.text);
    const read = parseAnswer(environment, answer, text, state.messages);
    if (read.nearly === undefined && read.message.text !== '') show(held.push(thoughts.rest()) + held.rest());
    emitReasoningNotice(environment, answer, reasoning);
    return {
      ...stateUpdate(environment, { ...state, mistakes }, answer, read),
      turns: state.turns + 1,
      usage: addUsage(state.usage, readResponseUsage(answer, environment.profile.model.price)),
    };
  };
}

/** Calls the model. @throws {TradeAgentError} `model_error`, `interrupted` */
async function callModel(
  { model, signal, emit, readOnly, dryRun }: GraphEnvironment,
  { messages }: AgentStateValue,
  show: (text: string) => void,
): Promise<AIMessageChunk> {
  let answer: AIMessageChunk | undefined;
  try {
    signal.throwIfAborted();
    const history = addMissingToolResults(messages);
    const given = model.builtin ? history : appendPromptContext(markOutsideText(history));
    const notice = (message: string) => emit({ type: 'notice', message });
    const prompt = [new SystemMessage(buildSystemPrompt({ readOnly, dryRun })), ...given];
    const ranked = model.builtin ? [] : rankTools(messages);
    for await (const chunk of model.stream(prompt, signal, notice, ranked)) {
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
      message: 'the model’s server cut the answer off at its length limit',
    });
  }
  if (answer !== undefined) return answer;
  throw new TradeAgentError('model_error', 'the model returned an empty answer', { hint: 'Try again.' });
}

/** Emits the model's reasoning as one line. The reasoning is not part of the answer or the conversation. */
function emitReasoningNotice({ emit }: GraphEnvironment, answer: AIMessageChunk, written: string): void {
  const { reasoning_content } = answer.additional_kwargs;
  const separate = typeof reasoning_content === 'string' ? reasoning_content : '';
  const words = `${separate} ${written}`.match(/\S+/g)?.length ?? 0;
  if (words > 0) emit({ type: 'notice', message: `the model reasoned in ${formatCount(words, 'word')}, not shown` });
}

function stateUpdate(
  environment: GraphEnvironment,
  state: AgentStateValue,
  answer: AIMessageChunk,
  read: ParsedAnswer,
): Update {
  const { prompt } = state;
  const turn = state.turns + 1;
  const calls = read.message.tool_calls?.length ?? 0;
  const mistakes = state.mistakes + (calls > 0 && read.rejected.length === calls ? 1 : 0);
  const outcomes: CallOutcome[] = read.rejected
    .filter(({ repeated }) => repeated === undefined)
    .map(({ call, problem }) => ({
      prompt,
      turn,
      tool: call.name,
      unusable: true,
      ...(read.nearly === undefined ? { what: describeCall(call) } : {}),
      error: {
        code: 'model_error',
        message: read.nearly === undefined ? problem : NEAR_CALL_MESSAGE,
        hint: RETRY_HINT,
      },
    }));
  const refusal = answer.response_metadata[REFUSAL_KEY] as PlannerRefusal | undefined;
  if (environment.model.builtin && refusal !== undefined) {
    outcomes.push({ prompt, turn, tool: 'planner', error: refusal });
  }
  const messages: BaseMessage[] = [read.message, ...rejectionMessages(read.rejected)];
  const ends = mistakes >= MAX_MISTAKES || (read.nearly !== undefined && countNearCalls(state) + 1 >= MAX_NEAR_CALLS);
  if (ends) return giveUp(environment, { ...state, mistakes }, { messages, outcomes });
  if (calls > 0 || environment.model.builtin) return { messages, outcomes, mistakes };
  return { mistakes, ...withUnfinishedNotes(environment, state, read.message, outcomes) };
}

function withUnfinishedNotes(
  { emit }: GraphEnvironment,
  state: AgentStateValue,
  message: AIMessage,
  outcomes: CallOutcome[],
): Update {
  const { prompt, messages } = state;
  if (message.text.trim() === '') {
    const words = 'I have no answer: the model returned nothing.';
    emit({ type: 'text', delta: words });
    return failedUpdate(state, words, 'the model returned an empty answer', 'Try again, or try another model.');
  }
  const all = [...state.outcomes, ...outcomes].filter((outcome) => outcome.prompt === prompt);
  const claim = findFalseClaim(message.text, executedCalls(messages));
  const { lines, forgotten } = unfinishedActs(messages, all, message.text);
  if (claim !== undefined) {
    const correction = `Correction: nothing was ${claim} in this run, whatever the model says above.`;
    return failAnswer(state, message, outcomes, [...lines.filter((line) => line !== NO_ORDER_LINE), correction], emit);
  }
  if (lines.length === 0) return { messages: [message], outcomes };
  const more = `\n\n${lines.join('\n')}`;
  emit({ type: 'text', delta: more });
  const error = {
    code: 'model_error',
    message: `nothing was proposed for ${forgotten}`,
    hint: 'Ask for it separately.',
  };
  return {
    messages: [new AIMessage(`${message.text}${more}`)],
    outcomes:
      forgotten === undefined
        ? outcomes
        : [...outcomes, { prompt, turn: state.turns + 1, tool: 'model', error: error as ErrorFacts }],
  };
}

/** Ends a run whose answer is false, with a correction below the answer. */
function failAnswer(
  { prompt, turns }: AgentStateValue,
  message: AIMessage,
  outcomes: readonly CallOutcome[],
  lines: readonly string[],
  emit: GraphEnvironment['emit'],
): Update {
  const more = `\n\n${lines.join('\n')}`;
  emit({ type: 'text', delta: more });
  const error = {
    code: 'model_error' as const,
    message: 'the model claims something that was not done',
    hint: 'Check with "trade-agent orders list". Ask again, or try another model.',
  };
  return {
    messages: [new AIMessage(`${message.text}${more}`)],
    outcomes: [...outcomes, { prompt, turn: turns + 1, tool: 'model', error }],
  };
}

/**
 * Returns the successful calls for the latest prompt. A proposing call succeeds only if the gateway executed it.
 */
function executedCalls(messages: readonly BaseMessage[]): ToolCall[] {
  const latest = messages.slice(messages.findLastIndex(({ type }) => type === 'human') + 1);
  const done = new Set(
    latest.flatMap((one) =>
      ToolMessage.isInstance(one) && one.status !== 'error' && findDraft(one) === undefined ? [one.tool_call_id] : [],
    ),
  );
  return latest.flatMap((one) =>
    AIMessage.isInstance(one)
      ? (one.tool_calls ?? []).flatMap(({ id, name, args }) =>
          id !== undefined && done.has(id) && findTool(name)?.risk !== 'read' ? [{ id, name, args }] : [],
        )
      : [],
  );
}

const NEAR_CALL_MESSAGE = 'the model wrote a tool call that cannot be executed';
const RETRY_HINT = 'Nothing was done. Try again, or try another model.';

/** Returns the number of consecutive turns, up to the latest, in which all calls were invalid. */
function countMistakes({ outcomes, prompt, turns, mistakes }: AgentStateValue): number {
  const latest = outcomes.filter((outcome) => outcome.prompt === prompt && outcome.turn === turns);
  if (latest.some(({ error }) => error === undefined)) return 0;
  const areFaulty = latest.every(({ error, unusable }) => !unusable && faultyArgumentCodes.has(error?.code ?? ''));
  return mistakes + (latest.length > 0 && areFaulty ? 1 : 0);
}

function countNearCalls({ outcomes, prompt }: AgentStateValue): number {
  return outcomes.filter((outcome) => outcome.prompt === prompt && outcome.tool === UNREADABLE_CALL).length;
}

function giveUp(
  { emit }: GraphEnvironment,
  state: AgentStateValue,
  added: { readonly messages: BaseMessage[]; readonly outcomes: CallOutcome[] } = { messages: [], outcomes: [] },
): Update {
  const text = 'the model kept making invalid calls';
  const words = `I stopped: ${text}.`;
  emit({ type: 'text', delta: words });
  const { messages = [], outcomes = [] } = failedUpdate(state, words, text, 'Try again, or try another model.');
  return {
    messages: [...added.messages, ...(messages as BaseMessage[])],
    outcomes: [...added.outcomes, ...outcomes],
    mistakes: MAX_MISTAKES,
  };
}

function failedUpdate({ prompt, turns }: AgentStateValue, words: string, message: string, hint: string): Update {
  return {
    messages: [new AIMessage(words)],
    outcomes: [{ prompt, turn: turns + 1, tool: 'model', error: { code: 'model_error', message, hint } }],
  };
}

export function hasReachedLimit(state: AgentStateValue, maxTurns: number): boolean {
  return state.mistakes >= MAX_MISTAKES || state.turns > maxTurns;
}

export function findUnansweredCalls(messages: readonly BaseMessage[]): ToolCall[] {
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

const MAX_REASON_LENGTH = 200;
const NO_ORDER_LINE = 'No order was proposed.';
const conditionalWords = /\b(?:if|or|otherwise|unless|instead|when|whichever|either|should|what|would|could)\b/i;

/**
 * Returns what was not done for the latest prompt: failed calls, and orders that the person named but the model never
 * proposed. The model's final answer might not mention them.
 */
function unfinishedActs(messages: readonly BaseMessage[], outcomes: readonly CallOutcome[], said: string) {
  const failed = findUncorrectedFailures(outcomes).flatMap(({ what, error }) =>
    what === undefined ? [] : [`Not done: ${what} (${safeLine(error.message, MAX_REASON_LENGTH)}).`],
  );
  const asked = extractPrompts(messages).flatMap(({ text, composedBy }) => (composedBy === undefined ? [text] : []));
  const named = findNamedOrders(asked);
  const from = messages.findLastIndex(({ type }) => type === 'human');
  const called = messages
    .slice(from + 1)
    .flatMap((message) => (AIMessage.isInstance(message) ? (message.tool_calls ?? []).flatMap(findOrdersInCall) : []));
  const forgotten = named.filter(
    ({ side, symbol }) => !called.some((order) => order.side === side && order.symbol === symbol),
  );
  const words = forgotten.map(({ side, symbol }) => `${side} ${symbol}`).join(', ');
  const isPart = forgotten.length > 0 && called.length > 0;
  const isNone = named.length > 0 && called.length === 0 && !said.trimEnd().endsWith('?');
  return {
    lines: [
      ...new Set(failed),
      ...(isPart ? [`Not proposed: ${words}.`] : isNone && failed.length === 0 ? [NO_ORDER_LINE] : []),
    ],
    /**
     * Orders that the person named but the model did not propose. Undefined if the model proposed no order, or if the
     * prompt makes orders optional with words such as "if" or "either".
     */
    forgotten: isPart && !conditionalWords.test(asked.at(-1) ?? '') ? words : undefined,
  };
}

/** Maximum number of calls per turn. Further calls are rejected, because a person can't judge more approvals. */
const MAX_CALLS = 20;
/** Name of the tool for text that almost parsed as a call, as stored in the conversation. */
const UNREADABLE_CALL = 'unreadable_call';

interface RejectedCall {
  readonly call: ToolCall;
  readonly problem: string;
  readonly repeated?: true;
}

interface ParsedAnswer {
  readonly message: AIMessage;
  readonly rejected: readonly RejectedCall[];
  readonly nearly?: string;
}

type Tools = Pick<GraphEnvironment, 'foreign'>;

/**
 * Converts the model's response to our message. Every call gets a new ID. Servers reuse IDs such as `call_0`, and an
 * order's client_order_id derives from its call's ID, so with a reused ID the order would count as already placed.
 * Malformed calls stay in the message with empty arguments and an error, because chat APIs require a result for every
 * call.
 * @param text the response without its reasoning
 */
function parseAnswer(
  environment: Tools,
  answer: AIMessageChunk,
  text: string,
  messages: readonly BaseMessage[],
): ParsedAnswer {
  const raw = rawCalls(answer);
  const written = readWrittenCalls(environment, text, messages);
  if (raw.length === 0 && written.kind === 'nearly') return nearCallAnswer(text, written.problem);
  const given = raw.length === 0 && written.kind === 'calls' ? written.calls : raw;
  const before = previousReads(messages);
  const calls: ToolCall[] = [];
  const rejected: RejectedCall[] = [];
  for (const { name, args } of given) {
    const parsed = parseArguments(args);
    const call = { id: createShortId('tc_', 12), name: safeToolName(name), args: parsed ?? {} };
    calls.push(call);
    if (calls.length > MAX_CALLS) rejected.push({ call, problem: `more than ${MAX_CALLS} calls in one turn` });
    else if (!isKnownTool(environment, name)) rejected.push({ call, problem: 'there is no such tool' });
    else if (parsed === undefined) rejected.push({ call, problem: 'the arguments are not a JSON object' });
    else if (before.has(callKey(call))) {
      rejected.push({
        call,
        problem: 'the tool was just called with the same arguments: use its answer above',
        repeated: true,
      });
    }
  }
  // Text that only repeats the calls is not part of the answer.
  const content = written.kind === 'words' ? text : '';
  return { message: new AIMessage({ content, tool_calls: calls }), rejected };
}

/** Turns the text into a failed call, because a model learns about errors only from the results of its calls. */
function nearCallAnswer(text: string, problem: string): ParsedAnswer {
  const call = { id: createShortId('tc_', 12), name: UNREADABLE_CALL, args: { written: text.slice(0, 500) } };
  return {
    message: new AIMessage({ content: '', tool_calls: [call] }),
    rejected: [
      {
        call,
        problem: `What you wrote looks like a tool call, but ${problem}. Nothing was done. Make the call through the tool interface, or write only one JSON object with "name" and "arguments", or answer the user in plain words.`,
      },
    ],
    nearly: problem,
  };
}

/** Returns the calls that a model wrote as text. Text counts as a call only if it could be executed unchanged. */
function readWrittenCalls(environment: Tools, text: string, messages: readonly BaseMessage[]) {
  const mayBeJson = /json/i.test(extractPrompts(messages).at(-1)?.text ?? '');
  const written = classifyResponseText(
    text,
    [...tools, findTools].map(({ name }) => name),
    mayBeJson,
  );
  if (written.kind !== 'calls') return written;
  const quoted = quotedCalls(messages);
  for (const call of written.calls) {
    const problem = callProblem(environment, call) ?? (quoted.has(callKey(call)) ? QUOTED_PROBLEM : undefined);
    if (problem !== undefined) return { kind: 'nearly' as const, problem };
  }
  return written;
}

const QUOTED_PROBLEM = 'it repeats a tool’s answer or outside text, which is data';

function callProblem(environment: Tools, { name, args: given }: WrittenCall): string | undefined {
  if (!isKnownTool(environment, name)) return 'there is no such tool';
  const tool = findTool(name);
  // The account is not validated here, because it is looked up when the proposal is made.
  const { account: _, ...proposed } = given;
  const args = tool?.risk === 'trade' ? proposed : given;
  try {
    if (tool === undefined) return undefined;
    if (name === 'place_order') parseOrderRequest(args);
    else if (name === 'place_orders') parseBatchRequest(args);
    else if (name === 'replace_order') parseReplaceRequest(args);
    else if (tool.risk === 'mandate') parseStandingOrderRequest(args);
    else if (tool.risk === 'send') parseMessageRequest(tool, args);
    else if (tool.risk === 'trade')
      return tool.schema.safeParse(args).success ? undefined : 'its arguments are invalid';
    else parseToolArguments(tool, { id: '', name, args });
    return undefined;
  } catch (error) {
    if (!isTradeAgentError(error)) throw error;
    return `its arguments are invalid: ${error.message}`;
  }
}

/** Returns the calls that appear in tool results or outside data. A model that repeats such a call only quotes it. */
function quotedCalls(messages: readonly BaseMessage[]): Set<string> {
  const outside = messages.flatMap((message) => {
    if (ToolMessage.isInstance(message)) return [message.text];
    return HumanMessage.isInstance(message) && extractStandardInput(message.text) !== undefined ? [message.text] : [];
  });
  // Removes JSON's escapes, because the text is quoted from strings in a tool's JSON.
  const plain = (text: string) =>
    text
      .replace(/\\u00([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
      .replace(/\\+"/g, '"')
      .replace(/\\+n/g, '\n');
  return new Set(outside.flatMap((text) => [text, plain(text)].flatMap(findWrittenCalls).map(callKey)));
}

/** Returns the keys of successful read calls for this prompt. Repeated calls would return the same data. */
function previousReads(messages: readonly BaseMessage[]): Set<string> {
  const failed = new Set(
    messages.flatMap((message) =>
      ToolMessage.isInstance(message) && message.status === 'error' ? [message.tool_call_id] : [],
    ),
  );
  const said = messages.slice(messages.findLastIndex(({ type }) => type === 'human') + 1);
  for (const message of said.toReversed()) {
    if (!AIMessage.isInstance(message)) continue;
    const calls = message.tool_calls ?? [];
    // A proposal may change what a read returns, and a foreign tool may do more than read.
    if (calls.some(({ name }) => findTool(name)?.risk !== 'read')) break;
    const answered = calls.filter(({ id }) => !failed.has(id ?? ''));
    if (answered.length > 0) return new Set(answered.map(callKey));
  }
  return new Set();
}

/** Returns a key for a tool and its arguments that doesn't depend on the order of the arguments' properties. */
function callKey({ name, args }: { name: string; args: unknown }): string {
  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sorted);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, each]) => [key, sorted(each)]),
    );
  };
  return `${name} ${JSON.stringify(sorted(args))}`;
}

function rejectionMessages(rejected: readonly RejectedCall[]): ToolMessage[] {
  return rejected.map(({ call, problem }) => createErrorToolMessage(call, { code: 'model_error', message: problem }));
}

function isKnownTool({ foreign }: Tools, name: string): boolean {
  return findTool(name) !== undefined || foreign?.serverOf(name) !== undefined;
}

function safeToolName(name: string): string {
  return /^[A-Za-z0-9_-]{1,64}$/.test(name) ? name : 'invalid';
}

/**
 * Returns the calls with their raw arguments. LangChain's parser would complete truncated JSON: if `"qty": "100"` were
 * cut off after the 1, it would return the quantity 1.
 */
function rawCalls(answer: AIMessageChunk): { name: string; args: unknown }[] {
  const chunks = answer.tool_call_chunks ?? [];
  if (chunks.length > 0) return chunks.map(({ name, args }) => ({ name: name ?? '', args }));
  return (answer.tool_calls ?? []).map(({ name, args }) => ({ name, args }));
}

function parseArguments(args: unknown): Record<string, unknown> | undefined {
  const value = typeof args === 'string' ? parseJson(args === '' ? '{}' : args) : (args ?? {});
  return isObject(value) ? value : undefined;
}
