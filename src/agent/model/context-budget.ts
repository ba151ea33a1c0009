import {
  AIMessage,
  type BaseMessage,
  HumanMessage,
  SystemMessage,
  ToolMessage,
} from '@langchain/core/messages';
import { defined } from '../../values/defined.ts';

/** Published context windows in tokens. For other servers set `context_tokens`. */
const windows: readonly (readonly [RegExp, number])[] = [
  [/(?:^|\/)gpt-5/, 400_000],
  [/(?:^|\/)gpt-4\.1/, 1_047_576],
  [/(?:^|\/)(?:chatgpt-|gpt-)4o/, 128_000],
  [/(?:^|\/)o[134](?:-|$)/, 200_000],
];
/** Characters, about 20,000 tokens: longer tool answers are cut. */
const LONGEST_ANSWER = 60_000;
/** Low estimate: number-heavy JSON has about three bytes per token, prose more. */
const BYTES_PER_TOKEN = 3;
/** Reserved for the answer: a share of the window, up to a number of tokens. */
const ANSWER_SHARE = 0.25;
const MOST_FOR_ANSWER = 4096;

export interface FittedHistory {
  readonly messages: BaseMessage[];
  readonly cut: readonly { readonly id: string; readonly tool: string }[];
  readonly shortened: boolean;
  readonly tooLong: boolean;
}

/** In tokens; undefined if unknown. */
export function contextWindow(name: string, configured: number | undefined): number | undefined {
  return configured ?? windows.find(([pattern]) => pattern.test(name))?.[1];
}

/** Overestimates: real tokenizers need megabytes of tables per model. */
export function estimateTokens(value: unknown): number {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);
}

/**
 * Shortens the conversation until it fits: cuts long answers, then drops the oldest results, then the oldest prompts
 * with their answers, but never the latest. Drops in steps of a quarter of the room, so that most turns keep their
 * prefix and the server's prompt cache works.
 * @param window in tokens; undefined only cuts answers
 * @param toolTokens size of the tool definitions
 */
export function fitHistory(
  messages: readonly BaseMessage[],
  window: number | undefined,
  toolTokens: number,
): FittedHistory {
  const room =
    window === undefined
      ? Number.POSITIVE_INFINITY
      : Math.max(0, window - Math.min(window * ANSWER_SHARE, MOST_FOR_ANSWER) - toolTokens);
  const { bounded, cut } = cutAnswers(messages, Math.min(LONGEST_ANSWER, (room * BYTES_PER_TOKEN) / 3));
  const excess = tokensOf(bounded) - room;
  if (excess <= 0) return { messages: bounded, cut, shortened: false, tooLong: false };
  const step = Math.ceil(room / 4);
  const surplus = Math.ceil(excess / Math.max(1, step)) * step;
  const fewer = shorterHistory(bounded, surplus * BYTES_PER_TOKEN) ?? bounded;
  const fitting = withoutOldPrompts(fewer, room, step);
  return { messages: fitting, cut, shortened: true, tooLong: tokensOf(fitting) > room };
}

function tokensOf(messages: readonly BaseMessage[]): number {
  let tokens = 0;
  for (const message of messages) {
    const calls = AIMessage.isInstance(message) ? (message.tool_calls ?? []) : [];
    // Eight for the chat template's markers.
    tokens += 8 + estimateTokens(message.text) + (calls.length > 0 ? estimateTokens(calls) : 0);
  }
  return tokens;
}

function cutAnswers(messages: readonly BaseMessage[], longest: number) {
  const cut: { id: string; tool: string }[] = [];
  const bounded = messages.map((message) => {
    if (!ToolMessage.isInstance(message) || message.text.length <= longest) return message;
    cut.push({ id: message.tool_call_id, tool: message.name ?? 'a tool' });
    return new ToolMessage({
      tool_call_id: message.tool_call_id,
      ...defined({ name: message.name, status: message.status }),
      content: beginningOf(message.text, longest),
    });
  });
  return { bounded, cut };
}

/** Keeps the marks of outside text around the rest. */
function beginningOf(text: string, longest: number): string {
  const note = `only the first ${Math.floor(longest)} of ${text.length} characters are here; ask for less at once`;
  // A server may reject half of a surrogate pair.
  const beginning = text.slice(0, longest).toWellFormed();
  return text.startsWith('<untrusted')
    ? `${beginning}\n</untrusted>\n(shortened: ${note})`
    : JSON.stringify({ shortened: note, beginning });
}

function withoutOldPrompts(messages: readonly BaseMessage[], room: number, step: number): BaseMessage[] {
  const head = messages.filter((message) => SystemMessage.isInstance(message));
  const rest = messages.filter((message) => !SystemMessage.isInstance(message));
  // Data precedes its prompt and goes with it.
  const starts = rest.flatMap((message, index) =>
    HumanMessage.isInstance(message) && !HumanMessage.isInstance(rest[index - 1]) ? [index] : [],
  );
  const excess = tokensOf(messages) - room;
  if (excess <= 0 || starts.length < 2) return [...messages];
  const surplus = Math.ceil(excess / Math.max(1, step)) * step;
  const from =
    starts.find((start) => tokensOf(rest.slice(0, start)) >= surplus) ??
    starts.find((start) => tokensOf(rest.slice(0, start)) >= excess) ??
    starts.at(-1);
  return [...head, ...rest.slice(from)];
}

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
