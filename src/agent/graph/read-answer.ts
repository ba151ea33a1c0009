import {
  AIMessage,
  type AIMessageChunk,
  type BaseMessage,
  HumanMessage,
  ToolMessage,
} from '@langchain/core/messages';
import { isTradeAgentError } from '../../errors/errors.ts';
import { findTool, tools } from '../../tools/catalog.ts';
import { readMessageRequest } from '../../tools/message-tool.ts';
import { readOrderRequest } from '../../tools/place-order.ts';
import { readBatchRequest } from '../../tools/place-orders.ts';
import { readStandingRequest } from '../../tools/place-standing-order.ts';
import { readReplaceRequest } from '../../tools/replace-order.ts';
import { isObject } from '../../values/is-object.ts';
import { parsedJson } from '../../values/parsed-json.ts';
import { callsWithin, readWritten, type WrittenCall } from '../model/written-calls.ts';
import { shortId } from '../short-id.ts';
import type { ToolCall } from './agent-state.ts';
import { errorMessage } from './error-message.ts';
import type { GraphEnvironment } from './graph-environment.ts';
import { prompts } from './message-history.ts';
import { readContext } from './system-prompt.ts';
import { readArguments } from './tool-node.ts';

/** A person can't judge more approvals at once; further calls are answered with an error. */
const MAX_CALLS = 20;
/** Tool name under which text that almost parsed as a call is stored. */
export const UNREADABLE = 'unreadable_call';

export interface Rejected {
  readonly call: ToolCall;
  readonly problem: string;
  readonly repeated?: true;
}

export interface ReadAnswer {
  readonly message: AIMessage;
  readonly rejected: readonly Rejected[];
  /** Why the text was not accepted as a call. */
  readonly nearly?: string;
}

type Tools = Pick<GraphEnvironment, 'foreign'>;

/**
 * Turns the model's answer into our message. Every call gets a new id: servers repeat theirs (`call_0`), and an order's
 * client_order_id derives from it, so a repeated id would mean an order already placed. Malformed calls stay in the
 * message with empty arguments and an error, because chat APIs want every call answered.
 */
export function readAnswer(
  environment: Tools,
  answer: AIMessageChunk,
  messages: readonly BaseMessage[],
): ReadAnswer {
  const raw = rawCalls(answer);
  const written = writtenIn(environment, answer.text, messages);
  if (raw.length === 0 && written.kind === 'nearly') return nearly(answer.text, written.problem);
  const given = raw.length === 0 && written.kind === 'calls' ? written.calls : raw;
  const before = readsBefore(messages);
  const calls: ToolCall[] = [];
  const rejected: Rejected[] = [];
  for (const { name, args } of given) {
    const parsed = parseArguments(args);
    const call = { id: shortId('tc_', 12), name: toolName(name), args: parsed ?? {} };
    calls.push(call);
    if (calls.length > MAX_CALLS)
      rejected.push({ call, problem: `more than ${MAX_CALLS} calls in one turn` });
    else if (!isTool(environment, name)) rejected.push({ call, problem: 'there is no such tool' });
    else if (parsed === undefined) rejected.push({ call, problem: 'the arguments are not a JSON object' });
    else if (before.has(sameCall(call))) {
      rejected.push({
        call,
        problem: 'it was just called with the same arguments: use its answer above',
        repeated: true,
      });
    }
  }
  // Text that only repeats the calls is dropped.
  const content = written.kind === 'words' ? answer.text : '';
  return { message: new AIMessage({ content, tool_calls: calls }), rejected };
}

/** Records the text as a failed call, so that the model learns why in the form chat APIs expect. */
function nearly(text: string, problem: string): ReadAnswer {
  const call = { id: shortId('tc_', 12), name: UNREADABLE, args: { written: text.slice(0, 500) } };
  return {
    message: new AIMessage({ content: '', tool_calls: [call] }),
    rejected: [
      {
        call,
        problem: `What you wrote looks like a tool call, and ${problem}. Nothing was done. Make the call by the tool interface, or write nothing but one JSON object with "name" and "arguments"; or answer the user in plain words.`,
      },
    ],
    nearly: problem,
  };
}

/** Text counts as a call only if it could be executed as it is. */
function writtenIn(environment: Tools, text: string, messages: readonly BaseMessage[]) {
  const mayBeJson = /json/i.test(prompts(messages).at(-1)?.text ?? '');
  const written = readWritten(
    text,
    tools.map(({ name }) => name),
    mayBeJson,
  );
  if (written.kind !== 'calls') return written;
  const quoted = outsideCalls(messages);
  for (const call of written.calls) {
    const problem = problemWith(environment, call) ?? (quoted.has(sameCall(call)) ? QUOTED : undefined);
    if (problem !== undefined) return { kind: 'nearly' as const, problem };
  }
  return written;
}

const QUOTED = 'it stands so in a tool’s answer or in outside text, which is data';

function problemWith(environment: Tools, { name, args: given }: WrittenCall): string | undefined {
  if (!isTool(environment, name)) return 'there is no such tool';
  const tool = findTool(name);
  // The account is looked up when the proposal is made.
  const { account: _, ...proposed } = given;
  const args = tool?.risk === 'trade' ? proposed : given;
  try {
    if (tool === undefined) return undefined;
    if (name === 'place_order') readOrderRequest(args);
    else if (name === 'place_orders') readBatchRequest(args);
    else if (name === 'replace_order') readReplaceRequest(args);
    else if (tool.risk === 'mandate') readStandingRequest(args);
    else if (tool.risk === 'send') readMessageRequest(tool, args);
    else if (tool.risk === 'trade')
      return tool.schema.safeParse(args).success ? undefined : 'its arguments are invalid';
    else readArguments(tool, { id: '', name, args });
    return undefined;
  } catch (error) {
    if (!isTradeAgentError(error)) throw error;
    return `its arguments are invalid: ${error.message}`;
  }
}

/** Calls quoted in tool answers or outside data: repeating one is not calling it. */
function outsideCalls(messages: readonly BaseMessage[]): Set<string> {
  const outside = messages.flatMap((message) => {
    if (ToolMessage.isInstance(message)) return [message.text];
    return HumanMessage.isInstance(message) && readContext(message.text) !== undefined ? [message.text] : [];
  });
  // Undoes the escapes in the strings of a tool's JSON.
  const plain = (text: string) =>
    text
      .replace(/\\u00([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
      .replace(/\\+"/g, '"')
      .replace(/\\+n/g, '\n');
  return new Set(outside.flatMap((text) => [text, plain(text)].flatMap(callsWithin).map(sameCall)));
}

/** The model's previous reads for this prompt: repeated at once, they would give the same answer. */
function readsBefore(messages: readonly BaseMessage[]): Set<string> {
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
    if (answered.length > 0) return new Set(answered.map(sameCall));
  }
  return new Set();
}

/** Equal for the same tool and arguments in any key order. */
function sameCall({ name, args }: { name: string; args: unknown }): string {
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

export function rejections(rejected: readonly Rejected[]): ToolMessage[] {
  return rejected.map(({ call, problem }) => errorMessage(call, { code: 'model_error', message: problem }));
}

function isTool({ foreign }: Tools, name: string): boolean {
  return findTool(name) !== undefined || foreign?.serverOf(name) !== undefined;
}

function toolName(name: string): string {
  return /^[A-Za-z0-9_-]{1,64}$/.test(name) ? name : 'invalid';
}

/** The raw arguments: LangChain's parser completes truncated JSON, and `"qty": "1` may have been 100. */
function rawCalls(answer: AIMessageChunk): { name: string; args: unknown }[] {
  const chunks = answer.tool_call_chunks ?? [];
  if (chunks.length > 0) return chunks.map(({ name, args }) => ({ name: name ?? '', args }));
  return (answer.tool_calls ?? []).map(({ name, args }) => ({ name, args }));
}

function parseArguments(args: unknown): Record<string, unknown> | undefined {
  const value = typeof args === 'string' ? parsedJson(args === '' ? '{}' : args) : (args ?? {});
  return isObject(value) ? value : undefined;
}
