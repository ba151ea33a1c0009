import {
  AIMessage,
  type BaseMessage,
  HumanMessage,
  SystemMessage,
  ToolMessage,
} from '@langchain/core/messages';
import { defined } from '../../values/defined.ts';
import { shorterHistory } from './shorter-history.ts';

/** What models read at most, tokens, as their makers publish it. A server of one's own decides for itself: `context_tokens`. */
const windows: readonly (readonly [RegExp, number])[] = [
  [/(?:^|\/)gpt-5/, 400_000],
  [/(?:^|\/)gpt-4\.1/, 1_047_576],
  [/(?:^|\/)(?:chatgpt-|gpt-)4o/, 128_000],
  [/(?:^|\/)o[134](?:-|$)/, 200_000],
];
/** A longer answer of one tool is cut, characters: about 20,000 tokens, of which a model uses little. */
const LONGEST_ANSWER = 60_000;
/** Bytes that a token is taken for. Prose has more; JSON full of numbers, which is most of ours, about three. */
const BYTES_PER_TOKEN = 3;
/** Kept free for the model's own answer: a share of its window, and tokens at most. */
const ANSWER_SHARE = 0.25;
const MOST_FOR_ANSWER = 4096;

export interface FittedHistory {
  readonly messages: BaseMessage[];
  /** Calls whose answers were cut, by their tools' names. */
  readonly cut: readonly { readonly id: string; readonly tool: string }[];
  /** Old results, or whole prompts, were left out. */
  readonly shortened: boolean;
  /** Nothing more can be left out, and it is still too long. */
  readonly tooLong: boolean;
}

/** Tokens that a model reads at most; undefined where nobody knows. */
export function contextWindow(name: string, configured: number | undefined): number | undefined {
  return configured ?? windows.find(([pattern]) => pattern.test(name))?.[1];
}

/** A guess on the high side: the tables of real tokenizers are megabytes, and differ for each model. */
export function estimateTokens(value: unknown): number {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return Math.ceil(Buffer.byteLength(text) / BYTES_PER_TOKEN);
}

/**
 * The conversation as it fits: first long answers are cut, then the oldest results are left out, then the oldest prompts
 * with all that followed them, never the latest one. What is left out grows by quarters of the room, not by a message a
 * turn, so that most turns begin as the one before did and the server's prompt cache holds.
 * @param window tokens, {@link contextWindow}; undefined only cuts answers
 * @param toolTokens what the tools' definitions take of it
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
    // A few for the marks of a chat template around each.
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

/** Its beginning, said to be no more than that; marks of outside text stay around what is left of it. */
function beginningOf(text: string, longest: number): string {
  const note = `only the first ${Math.floor(longest)} of ${text.length} characters are here; ask for less at once`;
  // No half of a surrogate pair: a server may refuse it.
  const beginning = text.slice(0, longest).toWellFormed();
  return text.startsWith('<untrusted')
    ? `${beginning}\n</untrusted>\n(shortened: ${note})`
    : JSON.stringify({ shortened: note, beginning });
}

/** Without the oldest prompts and what followed each, by {@link fitHistory}'s steps. */
function withoutOldPrompts(messages: readonly BaseMessage[], room: number, step: number): BaseMessage[] {
  const head = messages.filter((message) => SystemMessage.isInstance(message));
  const rest = messages.filter((message) => !SystemMessage.isInstance(message));
  // What was handed over as data stands right before its prompt, and goes with it.
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
