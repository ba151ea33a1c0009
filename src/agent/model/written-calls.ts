import { isObject } from '../../values/is-object.ts';
import { parseJson } from '../../values/parse-json.ts';

/*
 * Small models write tool calls as text: Qwen2.5-Coder as a block of ```json {"name": …, "arguments": …}```, Hermes and
 * Qwen as <tool_call>…</tool_call>, Llama 3.1 with `parameters`, Mistral as [TOOL_CALLS] and an array. A message that
 * consists only of calls is executed. A message that is almost a call is neither executed nor shown as an answer,
 * because guessing what the model meant would not be safe.
 */

export interface WrittenCall {
  readonly name: string;
  readonly args: Record<string, unknown>;
}

export type ResponseText =
  | { readonly kind: 'words' }
  | { readonly kind: 'calls'; readonly calls: readonly WrittenCall[] }
  /** Text that is almost a call. `problem` tells the model what is wrong with the call. */
  | { readonly kind: 'nearly'; readonly problem: string };

const MAX_TEXT_LENGTH = 50_000;
const MAX_NESTING = 40;

const fence = /^(`{3,}|~{3,})[ \t]*[a-zA-Z_]*[ \t]*\r?\n?([\s\S]*?)\1/;
const tag = /^<(tool_calls?|tools|function_calls?)>([\s\S]*?)<\/\1>/;
const marks = /<\/?(?:tool_calls?|function_calls?|function=|\|tool|\|python_tag)|\[TOOL_CALLS\]|<｜tool/;
/** Matches a chat-template marker, which a model writes only by mistake. */
const frame = /^<[|｜][a-z_]{2,20}[|｜]>/;
const shape =
  /["'](?:name|tool|function|tool_name)["']\s*:[\s\S]{0,300}?["'](?:arguments|parameters|args|input)["']\s*:/;

/**
 * Classifies the text of a message that has no tool calls in the API's own format.
 * @param names names of the tools, to recognize text such as `get_quote({…})` as a malformed call
 * @param mayBeJson whether the person asked for JSON, so that JSON in the text is an answer instead of a call
 */
export function classifyResponseText(text: string, names: readonly string[], mayBeJson: boolean): ResponseText {
  const message = text.trim();
  if (message === '' || message.length > MAX_TEXT_LENGTH) return { kind: 'words' };
  const calls = parseCallsOnly(message);
  if (calls !== undefined) return { kind: 'calls', calls };
  if (frame.test(message)) {
    return { kind: 'nearly', problem: 'it begins with a chat template marker' };
  }
  if (marks.test(message) || shape.test(message)) {
    return {
      kind: 'nearly',
      problem: /^[{[`<]/.test(message)
        ? 'it is not well-formed JSON with a name and arguments, or has other text around it'
        : 'it has other text around it',
    };
  }
  const written = /^`{0,3}\s*(?:await\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*\([\s\S]*\)\s*;?\s*`{0,3}$/.exec(message)?.[1];
  if (written !== undefined && names.includes(written)) {
    return { kind: 'nearly', problem: 'it is written as a function call' };
  }
  const isData = /^(?:\{|\[\s*[{"]|`{3}json\s*[{[])/.test(message);
  return isData && !mayBeJson
    ? { kind: 'nearly', problem: 'it is JSON that names no tool, where words were expected' }
    : { kind: 'words' };
}

/** Returns up to a hundred tool calls that are written as JSON anywhere in the text. */
export function findWrittenCalls(text: string): WrittenCall[] {
  const found: WrittenCall[] = [];
  for (let at = text.indexOf('{'), looked = 0; at >= 0 && looked < 100; at = text.indexOf('{', at + 1)) {
    looked++;
    const end = endOfJson(text, at);
    if (end === undefined) continue;
    found.push(...(toCalls(parseJson(text.slice(at, end))) ?? []));
  }
  return found;
}

/** Returns the calls that a message consists of, or undefined if it contains anything else. */
function parseCallsOnly(message: string): WrittenCall[] | undefined {
  const calls: WrittenCall[] = [];
  let rest = message.replace(/^\[TOOL_CALLS\]\s*/, '');
  while (rest !== '') {
    const wrapped = fence.exec(rest) ?? tag.exec(rest);
    const end = wrapped === null ? endOfJson(rest, 0) : wrapped[0].length;
    if (end === undefined) return undefined;
    const inside =
      wrapped === null ? toCalls(parseJson(rest.slice(0, end))) : parseCallsOnly((wrapped[2] ?? '').trim());
    if (inside === undefined || inside.length === 0) return undefined;
    calls.push(...inside);
    rest = rest.slice(end).replace(/^[\s,;]+/, '');
  }
  return calls.length === 0 ? undefined : calls;
}

function toCalls(value: unknown): WrittenCall[] | undefined {
  if (Array.isArray(value)) {
    const each = value.map(toCalls);
    return each.length === 0 || each.includes(undefined) ? undefined : each.flatMap((one) => one ?? []);
  }
  if (!isObject(value)) return undefined;
  if (Array.isArray(value.tool_calls) && Object.keys(value).length === 1) return toCalls(value.tool_calls);
  if (!isObject(value.function)) return toCall(value);
  const isCall = Object.keys(value).every((key) => ['function', 'type', 'id', 'index'].includes(key));
  return isCall ? toCalls(value.function) : undefined;
}

function toCall(value: Record<string, unknown>): WrittenCall[] | undefined {
  const { name, arguments: given, parameters, ...more } = value;
  if (typeof name !== 'string' || Object.keys(more).some((key) => key !== 'id' && key !== 'type')) return undefined;
  if ((given === undefined) === (parameters === undefined)) return undefined;
  const said = given ?? parameters;
  const args = typeof said === 'string' ? parseJson(said) : said;
  return isObject(args) ? [{ name, args }] : undefined;
}

/** Returns the end of the JSON value at `from`, or undefined if no complete value starts there. */
function endOfJson(text: string, from: number): number | undefined {
  if (text[from] !== '{' && text[from] !== '[') return undefined;
  const end = Math.min(text.length, from + MAX_TEXT_LENGTH);
  let depth = 0;
  for (let at = from; at < end; at++) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at);
    else if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') depth--;
    if (depth === 0) return at + 1;
    if (depth > MAX_NESTING) return undefined;
  }
  return undefined;
}

/** Returns the position of the closing quote, or the end of the text. */
function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at;
}
