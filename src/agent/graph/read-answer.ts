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
import { callsWithin, readWritten, type WrittenCall } from '../model/written-calls.ts';
import { shortId } from '../short-id.ts';
import type { ToolCall } from './agent-state.ts';
import type { GraphEnvironment } from './graph-environment.ts';
import { prompts } from './message-history.ts';
import { readContext } from './system-prompt.ts';
import { readArguments } from './tool-node.ts';
import { errorMessage } from './tool-outcome.ts';

/** More calls than this in one turn are answered with an error: a person can't judge twenty approvals at once. */
const MAX_CALLS = 20;
/** Under which name a conversation keeps what was meant as a call and could not be read. */
export const UNREADABLE = 'unreadable_call';

/** A call that is answered with an error at once. */
export interface Rejected {
  readonly call: ToolCall;
  readonly problem: string;
  /** The call would only have been made again. */
  readonly repeated?: true;
}

export interface ReadAnswer {
  readonly message: AIMessage;
  readonly rejected: readonly Rejected[];
  /** It was text that nearly was a call. */
  readonly nearly?: string;
}

type Tools = Pick<GraphEnvironment, 'foreign'>;

/**
 * The answer as a message of ours. Every call gets a fresh id: servers repeat theirs (`call_0`), and an order's
 * client_order_id comes from it, so that a repeated id would mean an order already placed. Malformed calls stay in
 * the message with empty arguments, each with its error beside it, since a chat API wants every call answered.
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
  // Calls beside which they are written out once more are no words for anybody.
  const content = written.kind === 'words' ? answer.text : '';
  return { message: new AIMessage({ content, tool_calls: calls }), rejected };
}

/** What text nearly was a call becomes: a call that failed, so that the model is told why as chat APIs have it. */
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

/** What the text beside or instead of calls is; a call is one only where it could be carried out as it stands. */
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
  // Which account a proposal is for is looked up where it is made.
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

/** Calls that stand in what tools answered and in what was handed over as data: quoting one is not calling it. */
function outsideCalls(messages: readonly BaseMessage[]): Set<string> {
  const outside = messages.flatMap((message) => {
    if (ToolMessage.isInstance(message)) return [message.text];
    return HumanMessage.isInstance(message) && readContext(message.text) !== undefined ? [message.text] : [];
  });
  // Within the strings of a tool's JSON, quotes and what could be a mark are escaped.
  const plain = (text: string) =>
    text
      .replace(/\\u00([0-9a-f]{2})/gi, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
      .replace(/\\+"/g, '"')
      .replace(/\\+n/g, '\n');
  return new Set(outside.flatMap((text) => [text, plain(text)].flatMap(callsWithin).map(sameCall)));
}

/** The reads that the model was answered last, for the same prompt: repeated with nothing between, they would say the same. */
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
    // Beside a proposal, what a read says may have changed; what a stranger's tool does is not known to be reading.
    if (calls.some(({ name }) => findTool(name)?.risk !== 'read')) break;
    const answered = calls.filter(({ id }) => !failed.has(id ?? ''));
    if (answered.length > 0) return new Set(answered.map(sameCall));
  }
  return new Set();
}

/** Equal for two calls of one tool with the same arguments, in whatever order they are written. */
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

/** The answers to calls that are not made. */
export function rejections(rejected: readonly Rejected[]): ToolMessage[] {
  return rejected.map(({ call, problem }) => errorMessage(call, { code: 'model_error', message: problem }));
}

/** Ours, or one of somebody else's that the owner allowed. */
function isTool({ foreign }: Tools, name: string): boolean {
  return findTool(name) !== undefined || foreign?.serverOf(name) !== undefined;
}

/** A name as chat APIs allow it: a model may have made up anything. */
function toolName(name: string): string {
  return /^[A-Za-z0-9_-]{1,64}$/.test(name) ? name : 'invalid';
}

/** The calls as the model wrote them: LangChain's own parse completes JSON that was cut off, and `"qty": "1` may have been 100. */
function rawCalls(answer: AIMessageChunk): { name: string; args: unknown }[] {
  const chunks = answer.tool_call_chunks ?? [];
  if (chunks.length > 0) return chunks.map(({ name, args }) => ({ name: name ?? '', args }));
  return (answer.tool_calls ?? []).map(({ name, args }) => ({ name, args }));
}

function parseArguments(args: unknown): Record<string, unknown> | undefined {
  try {
    const value: unknown = typeof args === 'string' ? JSON.parse(args === '' ? '{}' : args) : (args ?? {});
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}
