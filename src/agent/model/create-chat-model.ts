import {
  AIMessage,
  type AIMessageChunk,
  type BaseMessage,
  HumanMessage,
  SystemMessage,
  ToolMessage,
} from '@langchain/core/messages';
import { z } from 'zod';
import type { ResolvedProfile } from '../../config/profile.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import type { Clock } from '../../machine/clock.ts';
import { findTools } from '../../tools/catalog.ts';
import { FOREIGN_TOOL_PREFIX, type ForeignTools } from '../../tools/foreign-tools.ts';
import type { Tool } from '../../tools/tool.ts';
import { defined } from '../../values/defined.ts';
import type { ChatModel } from './chat-model.ts';
import { type ModelServer, resolveModelServer } from './model-server.ts';
import { PLANNER_NAME } from './planner-name.ts';

interface ModelOptions {
  readonly settings: ResolvedProfile['model'];
  readonly tools: readonly Tool[];
  /** Other servers' tools, which the planner does not use. */
  readonly foreign?: ForeignTools | undefined;
  readonly clock: Clock;
  /** The API key from the credential store. */
  readonly apiKey?: string | undefined;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly fetch?: typeof fetch;
}

type Notice = NonNullable<Parameters<ChatModel['stream']>[2]>;

/** Timeout for the first byte of a response, in milliseconds. Includes the time for loading a local model. */
const REQUEST_TIMEOUT_MS = 60_000;
/** Timeout between two chunks of a response, in milliseconds. Without it, a stalled stream would never end. */
const IDLE_TIMEOUT_MS = 60_000;
/** Milliseconds to wait before the second and third attempts, unless the server asks for a longer wait. */
const RETRY_WAITS_MS = [500, 2000];
/** Longest accepted wait in milliseconds. If a server asks for more, the run fails instead, and the person decides. */
const MAX_RETRY_WAIT_MS = 30_000;

export function toolDefinitions(tools: readonly Tool[]) {
  return tools.map(({ name, description, schema }) => {
    // The `$schema` member costs tokens, and no server reads it.
    const { $schema: _, ...parameters } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
    return { type: 'function' as const, function: { name, description, parameters } };
  });
}

/** Maximum number of tools in a request. Small models choose badly from longer lists. */
const MAX_TOOLS = 8;
/** Maximum size of the system prompt and the tools in bytes: 3,000 tokens of 3.6 bytes, as is typical of JSON. */
const MAX_PREFIX_BYTES = 10_800;
/** Number of other servers' tools that are offered before the model asks for them. */
const MAX_FOREIGN_TOOLS = 3;

type ToolDefinition =
  | ReturnType<typeof toolDefinitions>[number]
  | Awaited<ReturnType<typeof foreignDefinitions>>[number];

/**
 * Returns the tools that fit: the tool that finds other tools, the three highest-ranked tools, other servers' first
 * {@link MAX_FOREIGN_TOOLS} tools, and then the remaining ranked tools. Returns them in the order of `all`, so that the
 * same selection always has the same bytes.
 */
export function selectTools(
  all: readonly ToolDefinition[],
  ranked: readonly string[],
  prompt: string,
): ToolDefinition[] {
  const nameOf = (tool: ToolDefinition) => tool.function.name;
  const isForeign = (tool: ToolDefinition) => nameOf(tool).startsWith(FOREIGN_TOOL_PREFIX);
  const foreign = all.filter(isForeign).slice(0, MAX_FOREIGN_TOOLS).map(nameOf);
  const chosen = new Set<string>();
  let bytes = Buffer.byteLength(prompt);
  for (const name of [findTools.name, ...ranked.slice(0, 3), ...foreign, ...ranked.slice(3)]) {
    const tool = all.find((one) => nameOf(one) === name);
    if (tool === undefined || chosen.has(name) || chosen.size >= MAX_TOOLS) continue;
    const size = Buffer.byteLength(JSON.stringify(tool));
    if (bytes + size > MAX_PREFIX_BYTES && name !== findTools.name) continue;
    chosen.add(name);
    bytes += size;
  }
  return all.filter((tool) => chosen.has(nameOf(tool)));
}

/** Returns the definitions of other servers' tools. Called on every turn, because the servers start and stop. */
async function foreignDefinitions(foreign: ForeignTools | undefined, signal: AbortSignal, notice: Notice | undefined) {
  const offered = await foreign?.offered(signal, notice ?? (() => undefined));
  return (offered ?? []).map(({ name, description, parameters }) => ({
    type: 'function' as const,
    function: { name, description, parameters },
  }));
}

/** Creates the profile's model. @throws {TradeAgentError} `invalid_config` if there is no API key */
export async function createChatModel(options: ModelOptions): Promise<ChatModel> {
  if (options.settings.provider === 'builtin') {
    const { BuiltinPlanner } = await import('../planner/planner.ts');
    const planner = new BuiltinPlanner();
    return {
      name: PLANNER_NAME,
      builtin: true,
      stream: async function* (messages, signal) {
        yield* await planner.stream(messages, { signal });
      },
    };
  }
  return openAiModel(options);
}

async function openAiModel({
  settings,
  tools,
  foreign,
  clock,
  apiKey,
  env = {},
  fetch,
}: ModelOptions): Promise<ChatModel> {
  const server = resolveModelServer(settings, env, apiKey);
  const { ChatOpenAI } = await import('@langchain/openai');
  /** A chat model that estimates token counts. LangChain's counter downloads tables and can stall for minutes. */
  class Model extends ChatOpenAI {
    override async getNumTokens(content: Parameters<InstanceType<typeof ChatOpenAI>['getNumTokens']>[0]) {
      return Math.ceil((typeof content === 'string' ? content : JSON.stringify(content)).length / 4);
    }
  }
  const model = new Model({
    model: server.name,
    // The client requires a key even for local servers.
    apiKey: server.key ?? 'none',
    // The client's own retries ignore Retry-After and the signal.
    maxRetries: 0,
    timeout: REQUEST_TIMEOUT_MS,
    streamUsage: true,
    useResponsesApi: false,
    configuration: {
      // Always set. Otherwise, the client would use OPENAI_BASE_URL, and this key may not belong to that server.
      baseURL: server.url,
      ...defined({ fetch }),
    },
  });
  const own = toolDefinitions(tools.length > MAX_TOOLS ? [findTools, ...tools] : tools);
  const window = resolveContextWindow(server.name, settings.context_tokens);
  const tell = shorteningNotifier();
  const answers = new AnswerStreamer(server, clock);
  return {
    name: server.name,
    builtin: false,
    async *stream(messages, signal, notice, ranked = []) {
      const all = [...own, ...(await foreignDefinitions(foreign, signal, notice))];
      const prompt = messages.find((message) => SystemMessage.isInstance(message))?.text ?? '';
      const offered = selectTools(all, ranked, prompt);
      const bound = model.bindTools(offered);
      const fitted = fitHistory(messages, window, estimateTokens(offered));
      if (fitted.tooLong) throw toModelError({ kind: 'too_long' }, server);
      tell(fitted, notice);
      yield* answers.stream(bound, fitted.messages, signal, notice);
    },
  };
}

interface BoundModel {
  stream(history: BaseMessage[], until: { signal: AbortSignal }): Promise<AsyncIterable<AIMessageChunk>>;
}

/** Streams a model's responses. Retries after a transient failure, and shortens a history that was too long. */
class AnswerStreamer {
  readonly #server: ModelServer;
  readonly #clock: Clock;
  /** Whether the server has rejected a conversation as too long. Later turns then start with a shortened history. */
  #shorten = false;

  constructor(server: ModelServer, clock: Clock) {
    this.#server = server;
    this.#clock = clock;
  }

  async *stream(model: BoundModel, messages: BaseMessage[], signal: AbortSignal, notice?: Notice) {
    let history = this.#shorten ? (dropOldToolResults(messages) ?? messages) : messages;
    for (let tries = 1; ; tries++) {
      const failure = yield* this.#attempt(model, history, signal);
      if (failure === undefined) return;
      const shorter = this.#shorten || failure.kind !== 'too_long' ? undefined : dropOldToolResults(history);
      this.#shorten ||= failure.kind === 'too_long';
      if (shorter !== undefined) {
        history = shorter;
        notice?.(TOO_LONG_NOTICE);
        continue;
      }
      const wait = retryWait(tries, failure);
      if (wait === undefined) throw toModelError(failure, this.#server);
      notice?.(`${retryReason(failure, this.#server)}; trying again in ${(wait / 1000).toFixed(1)} s`);
      await this.#clock.sleep(wait, signal);
    }
  }

  /** Makes one attempt. Returns a failure that occurs before the first chunk, or undefined if there is none. */
  async *#attempt(
    model: BoundModel,
    history: BaseMessage[],
    signal: AbortSignal,
  ): AsyncGenerator<AIMessageChunk, ModelFailure | undefined, undefined> {
    const idle = new AbortController();
    let begun = false;
    try {
      const stream = await model.stream(history, { signal: AbortSignal.any([signal, idle.signal]) });
      for await (const chunk of requireComplete(withIdleTimeout(stream, idle, this.#clock))) {
        begun = true;
        yield chunk;
      }
      return undefined;
    } catch (error) {
      if (signal.aborted) throw error;
      const failure = classifyModelFailure(error, idle.signal.aborted);
      if (!begun) return failure;
      // The person has already seen the streamed text, so a second answer can't replace it.
      throw toModelError(failure.kind === 'transient' ? { kind: 'broken' } : failure, this.#server);
    }
  }
}

const TOO_LONG_NOTICE = 'the conversation is too long for the model; its oldest results are left out';

/** Returns a function that notifies the person once per truncated tool result, and once if old results are dropped. */
function shorteningNotifier() {
  const reported = new Set<string>();
  return ({ cut, shortened }: FittedHistory, notice: Notice | undefined): void => {
    const news = cut.filter(({ id }) => !reported.has(id));
    for (const { id, tool } of news) {
      reported.add(id);
      notice?.(`the answer from ${tool} is too long for the model, which gets only the beginning`);
    }
    if (shortened && !reported.has(TOO_LONG_NOTICE)) notice?.(TOO_LONG_NOTICE);
    if (shortened) reported.add(TOO_LONG_NOTICE);
  };
}

/** Returns the milliseconds to wait before the next attempt, or undefined to give up. */
function retryWait(tries: number, failure: ModelFailure): number | undefined {
  if (failure.kind !== 'transient') return undefined;
  const usual = RETRY_WAITS_MS[tries - 1];
  if (usual === undefined) return undefined;
  const wait = Math.max(usual, failure.retryAfterMs ?? 0);
  return wait <= MAX_RETRY_WAIT_MS ? wait : undefined;
}

function retryReason(failure: ModelFailure, { url }: ModelServer): string {
  const status = failure.kind === 'transient' ? failure.status : undefined;
  if (status === 429) return 'the model’s server is busy';
  return status === undefined
    ? `no connection to ${new URL(url).host}`
    : `the model’s server responded with HTTP status ${status}`;
}

/** Throws if the stream ends without a finish_reason: calls may be missing, and half a plan must not be executed. */
async function* requireComplete(stream: AsyncIterable<AIMessageChunk>): AsyncGenerator<AIMessageChunk> {
  let finished = false;
  for await (const chunk of stream) {
    if (chunk.response_metadata.finish_reason != null) finished = true;
    yield chunk;
  }
  if (!finished) throw new AnswerCutOff('the answer ended without a finish_reason');
}

async function* withIdleTimeout(
  stream: AsyncIterable<AIMessageChunk>,
  idle: AbortController,
  clock: Clock,
): AsyncGenerator<AIMessageChunk> {
  const iterator = stream[Symbol.asyncIterator]();
  for (;;) {
    const came = new AbortController();
    const watch = clock.sleep(IDLE_TIMEOUT_MS, came.signal).then(
      () => idle.abort(),
      () => undefined,
    );
    const next = await iterator.next().finally(() => came.abort());
    await watch;
    if (next.done) return;
    yield next.value;
  }
}

/** A model server's failure, reduced to facts that are safe to display. */
type ModelFailure =
  /** The request may be retried, after `retryAfterMs` if the server asked for a wait. */
  | { readonly kind: 'transient'; readonly status?: number; readonly retryAfterMs?: number }
  | { readonly kind: 'stalled' }
  | { readonly kind: 'too_long' }
  /** The response ended early or was not valid. */
  | { readonly kind: 'broken' }
  | { readonly kind: 'refused'; readonly status: number };

class AnswerCutOff extends Error {
  override name = 'AnswerCutOff';
}

/**
 * Matches errors about a conversation that is too long: OpenAI's code, and the wording of vLLM, llama.cpp, LM Studio
 * and OpenRouter.
 */
const tooLongPattern =
  /context[_ ]?(length|window|size|overflow)|maximum context|too many tokens|prompt is too long|exceed\w* .{0,40}(context|token limit)/i;

/** Classifies an error of the HTTP client. Drops the server's text, which may quote part of the API key. */
export function classifyModelFailure(error: unknown, stalled: boolean): ModelFailure {
  const facts = (typeof error === 'object' && error !== null ? error : {}) as Record<string, unknown>;
  const text = `${String(facts.name)} ${String(facts.code)} ${String(facts.message)}`;
  if (stalled || /timeout/i.test(String(facts.name))) return { kind: 'stalled' };
  if (error instanceof AnswerCutOff || error instanceof SyntaxError) return { kind: 'broken' };
  const status = typeof facts.status === 'number' ? facts.status : undefined;
  if ((status === undefined || status === 400 || status === 413) && tooLongPattern.test(text))
    return { kind: 'too_long' };
  if (status === undefined || status === 408 || status === 429 || status >= 500) {
    return { kind: 'transient', ...defined({ status, retryAfterMs: retryAfter(facts.headers) }) };
  }
  return { kind: 'refused', status };
}

/** Returns the wait from `retry-after-ms`, or from Retry-After in seconds or as a date (RFC 9110 §10.2.3). */
function retryAfter(headers: unknown): number | undefined {
  if (!(headers instanceof Headers)) return undefined;
  const ms = headers.get('retry-after-ms');
  if (ms !== null && /^\d+(\.\d+)?$/.test(ms)) return Number(ms);
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  const wait = /^\d+(\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(wait) ? Math.max(0, wait) : undefined;
}

export function toModelError(failure: ModelFailure, server: Server): TradeAgentError {
  const [message, hint] = errorTexts(failure, server);
  const status = 'status' in failure ? failure.status : undefined;
  return new TradeAgentError('model_error', message, { hint, details: defined({ status }) });
}

interface Server {
  readonly name: string;
  readonly url: string;
  readonly keyVariable: string;
}

function errorTexts(failure: ModelFailure, { name, url, keyVariable }: Server): readonly [string, string] {
  const { host } = new URL(url);
  switch (failure.kind) {
    case 'stalled':
      return [`the model ${name} stopped answering`, `Try again; see whether ${host} is overloaded.`];
    case 'broken':
      return [
        'the model’s server closed the connection early or sent an invalid answer',
        'The partial answer was discarded. Try again, or try another model.',
      ];
    case 'too_long':
      return [
        `the conversation is too long for ${name}`,
        'Start a new thread, pass less on standard input, or use a model with a larger context window.',
      ];
  }
  switch (failure.status) {
    case undefined:
      return [
        `the model’s server at ${host} cannot be reached or closed the connection`,
        'Check that it is running, and check model.base_url and the network.',
      ];
    case 401:
    case 403:
      return ['the model’s server rejected the API key', `Check ${keyVariable} or TRADE_AGENT_API_KEY.`];
    case 402:
      return ['the model’s server requires payment', `Check your plan at ${host}.`];
    case 404:
      return [`the model’s server has no model ${name}`, 'Check model.name and model.base_url.'];
    case 429: {
      const ms = failure.kind === 'transient' ? failure.retryAfterMs : undefined;
      const wait = ms === undefined ? 'a little' : `${Math.ceil(ms / 1000)} s`;
      return ['the model’s server is limiting requests', `Wait ${wait}, or check your plan at ${host}.`];
    }
    default:
      return [`the model’s server responded with HTTP status ${failure.status}`, 'Try again, or try another model.'];
  }
}

/** Published context windows in tokens. For other models, set `context_tokens` in the profile. */
const contextWindows: readonly (readonly [RegExp, number])[] = [
  [/(?:^|\/)gpt-5/, 400_000],
  [/(?:^|\/)gpt-4\.1/, 1_047_576],
  [/(?:^|\/)(?:chatgpt-|gpt-)4o/, 128_000],
  [/(?:^|\/)o[134](?:-|$)/, 200_000],
];
/** Maximum length of a tool result in characters, about 20,000 tokens. Longer results are truncated. */
const MAX_ANSWER_LENGTH = 60_000;
/** A low estimate. JSON with many numbers has about three bytes per token, and prose has more. */
const BYTES_PER_TOKEN = 3;
/** Share of the context window that is reserved for the response, up to {@link MAX_ANSWER_TOKENS}. */
const ANSWER_SHARE = 0.25;
const MAX_ANSWER_TOKENS = 4096;

interface FittedHistory {
  readonly messages: BaseMessage[];
  readonly cut: readonly { readonly id: string; readonly tool: string }[];
  readonly shortened: boolean;
  readonly tooLong: boolean;
}

export function resolveContextWindow(name: string, configured: number | undefined): number | undefined {
  return configured ?? contextWindows.find(([pattern]) => pattern.test(name))?.[1];
}

/** Estimates the number of tokens, on the high side. Real tokenizers need megabytes of tables per model. */
function estimateTokens(value: unknown): number {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);
}

/**
 * Shortens the conversation until it fits: truncates long tool results, then drops the oldest results, then the oldest
 * prompts with their answers, but never the latest prompt. Frees a quarter of the available space each time, so that
 * most turns begin with the same messages as the previous turn. The server's prompt cache requires the same beginning.
 * @param window size of the context window in tokens; if undefined, only long results are truncated
 * @param toolTokens size of the tool definitions in tokens
 */
export function fitHistory(
  messages: readonly BaseMessage[],
  window: number | undefined,
  toolTokens: number,
): FittedHistory {
  const room =
    window === undefined
      ? Number.POSITIVE_INFINITY
      : Math.max(0, window - Math.min(window * ANSWER_SHARE, MAX_ANSWER_TOKENS) - toolTokens);
  const { bounded, cut } = truncateAnswers(messages, Math.min(MAX_ANSWER_LENGTH, (room * BYTES_PER_TOKEN) / 3));
  const excess = countTokens(bounded) - room;
  if (excess <= 0) return { messages: bounded, cut, shortened: false, tooLong: false };
  const step = Math.ceil(room / 4);
  const surplus = Math.ceil(excess / Math.max(1, step)) * step;
  const fewer = dropOldToolResults(bounded, surplus * BYTES_PER_TOKEN) ?? bounded;
  const fitting = dropOldPrompts(fewer, room, step);
  return { messages: fitting, cut, shortened: true, tooLong: countTokens(fitting) > room };
}

function countTokens(messages: readonly BaseMessage[]): number {
  let tokens = 0;
  for (const message of messages) {
    const calls = AIMessage.isInstance(message) ? (message.tool_calls ?? []) : [];
    // Adds eight tokens for the chat template's markers.
    tokens += 8 + estimateTokens(message.text) + (calls.length > 0 ? estimateTokens(calls) : 0);
  }
  return tokens;
}

function truncateAnswers(messages: readonly BaseMessage[], longest: number) {
  const cut: { id: string; tool: string }[] = [];
  const bounded = messages.map((message) => {
    if (!ToolMessage.isInstance(message) || message.text.length <= longest) return message;
    cut.push({ id: message.tool_call_id, tool: message.name ?? 'a tool' });
    return new ToolMessage({
      tool_call_id: message.tool_call_id,
      ...defined({ name: message.name, status: message.status }),
      content: truncateText(message.text, longest),
    });
  });
  return { bounded, cut };
}

/** Truncates text, but keeps the marks around text from outside sources. */
function truncateText(text: string, longest: number): string {
  const note = `only the first ${Math.floor(longest)} of ${text.length} characters are included; ask for less at once`;
  // A server may reject half of a surrogate pair.
  const beginning = text.slice(0, longest).toWellFormed();
  return text.startsWith('<untrusted')
    ? `${beginning}\n</untrusted>\n(shortened: ${note})`
    : JSON.stringify({ shortened: note, beginning });
}

function dropOldPrompts(messages: readonly BaseMessage[], room: number, step: number): BaseMessage[] {
  const head = messages.filter((message) => SystemMessage.isInstance(message));
  const rest = messages.filter((message) => !SystemMessage.isInstance(message));
  // A prompt's data from standard input precedes the prompt, so both are dropped together.
  const starts = rest.flatMap((message, index) =>
    HumanMessage.isInstance(message) && !HumanMessage.isInstance(rest[index - 1]) ? [index] : [],
  );
  const excess = countTokens(messages) - room;
  if (excess <= 0 || starts.length < 2) return [...messages];
  const surplus = Math.ceil(excess / Math.max(1, step)) * step;
  const from =
    starts.find((start) => countTokens(rest.slice(0, start)) >= surplus) ??
    starts.find((start) => countTokens(rest.slice(0, start)) >= excess) ??
    starts.at(-1);
  return [...head, ...rest.slice(from)];
}

const DROPPED_RESULT =
  '{"left_out":"this result was dropped to make the conversation fit; call the tool again if needed"}';

/**
 * Replaces the oldest tool results with a short note, except for results since the model's last message. Every call
 * keeps a result, because chat APIs require one. Returns undefined if nothing can be dropped.
 * @param enough number of characters to drop
 */
export function dropOldToolResults(
  messages: readonly BaseMessage[],
  enough = Number.POSITIVE_INFINITY,
): BaseMessage[] | undefined {
  const lastTurn = messages.findLastIndex((message) => AIMessage.isInstance(message));
  let saved = 0;
  const shorter = messages.map((message, index) => {
    if (index > lastTurn || saved >= enough || !ToolMessage.isInstance(message)) return message;
    if (message.text.length <= DROPPED_RESULT.length) return message;
    saved += message.text.length - DROPPED_RESULT.length;
    return new ToolMessage({
      tool_call_id: message.tool_call_id,
      ...defined({ name: message.name }),
      content: DROPPED_RESULT,
    });
  });
  return saved > 0 ? shorter : undefined;
}
