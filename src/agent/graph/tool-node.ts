import { ToolMessage } from '@langchain/core/messages';
import { isGraphInterrupt } from '@langchain/langgraph';
import { TradeAgentError } from '../../errors/errors.ts';
import { addSchedule } from '../../tools/add-schedule.ts';
import { findTool, tools } from '../../tools/catalog.ts';
import { parseArguments } from '../../tools/exact-numbers.ts';
import { MCP_SERVER_PREFIX } from '../../tools/foreign-tools.ts';
import { setAlert } from '../../tools/set-alert.ts';
import { type DirectTool, requireGateway, toolArgumentsSchema } from '../../tools/tool.ts';
import { alertCondition, alertSchema } from '../../trading/alert.ts';
import { Dec } from '../../trading/decimal.ts';
import { defined } from '../../values/defined.ts';
import { parseNewestTurn } from '../reader/conversation.ts';
import { isUnresolvedName, listIntentSymbols } from '../reader/intent.ts';
import { findSymbol } from '../reader/symbols-by-name.ts';
import { parseUtterances } from '../reader/utterance.ts';
import type { AgentStateValue, CallOutcome, ToolCall } from './agent-state.ts';
import { runOnceConnected } from './awaited-connection.ts';
import { describeCall } from './call-description.ts';
import type { ConversationFacts } from './conversation-facts.ts';
import { createDraftMessage, draftChange, draftSummary } from './dry-run.ts';
import { toErrorFacts, toTradeAgentError } from './error-facts.ts';
import { createErrorToolMessage } from './error-message.ts';
import type { GraphEnvironment } from './graph-environment.ts';
import { neutralizeJsonMarkers } from './inert-text.ts';
import { findSymbolsInArguments, instructionsNotice, readsLikeInstructions } from './instruction-detector.ts';
import { markUntrustedText } from './system-prompt.ts';
import { searchTools } from './tool-selection.ts';

interface ToolInput {
  readonly call: ToolCall;
  readonly prompt: number;
  readonly turn: number;
  readonly facts?: ConversationFacts;
  readonly tainted?: readonly string[];
}

/**
 * Returns the node that executes calls that need no approval: reads, harmless changes, and calls that write the
 * person's own words to the person's files. If a call fails, the model gets the error as the result.
 */
export function createToolNode(environment: GraphEnvironment) {
  return async (input: ToolInput): Promise<Partial<AgentStateValue>> => {
    const { call, prompt, turn } = input;
    emitToolCall(environment, call);
    const outcome: CallOutcome = { prompt, turn, tool: call.name };
    try {
      const { ok, summary, text, message, outside } = await runTool(environment, input);
      emitToolResult(environment, call, ok, summary);
      emitInstructionsNotice(environment, call, text);
      return {
        messages: [message],
        outcomes: [outcome],
        ...(outside === undefined ? {} : { tainted: [outside] }),
      };
    } catch (error) {
      if (isGraphInterrupt(error)) throw error;
      const facts = toErrorFacts(toTradeAgentError(error));
      emitToolResult(environment, call, false, facts.message);
      return {
        messages: [createErrorToolMessage(call, facts)],
        outcomes: [{ ...outcome, what: describeCall(call), error: facts }],
      };
    }
  };
}

/** Emits the call's event once per run, even if the call runs again after an account was connected. */
export function emitToolCall({ callStartTimes, clock, emit }: GraphEnvironment, { id, name, args }: ToolCall): void {
  if (callStartTimes.has(id)) return;
  callStartTimes.set(id, clock.now());
  emit({ type: 'tool_call', id, name, ...defined({ title: findTool(name)?.title }), args });
}

/** Emits the call's only result event. `ms` is the time since the call started in this run, including waits. */
export function emitToolResult(
  { emit, clock, callStartTimes }: GraphEnvironment,
  { id, name }: ToolCall,
  ok: boolean,
  summary: string,
): void {
  const now = clock.now();
  emit({ type: 'tool_result', id, name, ok, summary, ms: now - (callStartTimes.get(id) ?? now) });
}

interface ToolAnswer {
  readonly ok: boolean;
  readonly summary: string;
  readonly text: string;
  readonly message: ToolMessage;
  /** The name of the outside source whose text the result adds to the conversation, if any. */
  readonly outside?: string;
}

async function runTool(environment: GraphEnvironment, { call, facts, tainted = [] }: ToolInput): Promise<ToolAnswer> {
  const tool = findTool(call.name);
  const server = tool === undefined ? environment.foreign?.serverOf(call.name) : undefined;
  if (server !== undefined) return callForeignTool(environment, server, call);
  if (tool === undefined || !('execute' in tool) || tool.risk === 'reduce') {
    throw new TypeError('not a tool to run directly');
  }
  if (tool.risk !== 'read' && environment.readOnly) throw readOnlyError();
  const args = parseToolArguments(tool, call);
  if (tool.risk === 'local') {
    if (facts === undefined) throw new TypeError('a call that writes needs the facts of the conversation');
    requireUserWords({ name: tool.name, args, facts, tainted });
  }
  const { session, gateway, alerts, ownRules } = environment;
  if (tool.risk !== 'read' && environment.dryRun) {
    requireGateway(environment);
    const draft = draftChange(tool, call);
    const message = createDraftMessage(call, draft);
    return { ok: true, summary: draftSummary(draft), text: message.text, message };
  }
  const { summary, content, outside } = await runOnceConnected(() =>
    tool.execute({ session, gateway, alerts, ownRules, searchTools: toolSearch(environment) }, args),
  );
  const message = new ToolMessage({
    tool_call_id: call.id,
    name: call.name,
    content: neutralizeJsonMarkers(content),
    ...(outside === undefined ? {} : { additional_kwargs: { outside } }),
  });
  return { ok: true, summary, text: content, message, ...defined({ outside }) };
}

/** Returns a function that searches the tools this run may offer and returns only their names, not descriptions. */
function toolSearch({ foreign, readOnly, signal }: GraphEnvironment) {
  return async (query: string): Promise<readonly string[]> => {
    const own = readOnly ? tools.filter(({ risk }) => risk === 'read') : tools;
    return searchTools(query, [...own, ...((await foreign?.offered(signal, () => undefined)) ?? [])]);
  };
}

function emitInstructionsNotice({ emit }: GraphEnvironment, { name, args }: ToolCall, text: string): void {
  if (readsLikeInstructions(text)) {
    emit({ type: 'notice', message: instructionsNotice(`the answer from ${name}`, findSymbolsInArguments(args)) });
  }
}

/** Validates a call's arguments. @throws {TradeAgentError} `usage`, which the model can correct */
export function parseToolArguments(tool: DirectTool, call: ToolCall): unknown {
  // Small models pass arguments such as `{"input": ""}` to tools without parameters. Such arguments are ignored.
  const args = parseArguments(tool.schema, hasNoParameters(tool) ? accountArgumentOnly(call) : call.args);
  if (args.success) return args.data;
  const issue = args.error.issues[0];
  throw new TradeAgentError('usage', `${issue?.path.join('.') || 'arguments'}: ${issue?.message}`, {
    hint: 'Correct the arguments.',
  });
}

function hasNoParameters(tool: DirectTool): boolean {
  return Object.keys(toolArgumentsSchema(tool).shape).every((name) => name === 'account');
}

function accountArgumentOnly({ args: { account } }: ToolCall): { account?: unknown } {
  return account === undefined || account === null || account === '' ? {} : { account };
}

export function readOnlyError(): TradeAgentError {
  return new TradeAgentError(
    'blocked',
    'this run is read-only: it cannot propose or cancel orders, or change anything else',
    {
      hint: 'Run it again without --read-only.',
    },
  );
}

/**
 * Calls a tool of another server. The result is treated as data and marks the conversation as tainted. If the tool
 * hangs or crashes, the model gets the failure as the result, and the run's status is not affected.
 */
async function callForeignTool(
  { foreign, signal }: Pick<GraphEnvironment, 'foreign' | 'signal'>,
  server: string,
  call: ToolCall,
): Promise<ToolAnswer> {
  const answer = (await foreign?.call(call.name, call.args, signal)) ?? {
    outcome: 'failed' as const,
    message: 'the tool no longer exists',
  };
  const said = (status: 'success' | 'error', text: string) => ({
    text,
    message: new ToolMessage({ tool_call_id: call.id, name: call.name, status, content: text }),
  });
  if (answer.outcome === 'failed') {
    const content = JSON.stringify({ error: { code: 'mcp_server_failed', message: answer.message } });
    return { ok: false, summary: answer.message, ...said('error', content) };
  }
  const { ok, text, cut } = answer;
  const outside = `${MCP_SERVER_PREFIX}${server}`;
  return {
    ok,
    summary: `${ok ? '' : 'it failed: '}${text.length} characters from ${server}${cut ? ', truncated' : ''}`,
    ...said(ok ? 'success' : 'error', markUntrustedText(outside, text)),
    outside,
  };
}

/*
 * A model may write only the person's own words to the person's files. These files need no approval on the phone, so
 * the person's words decide. Words that are not recognized count as not said.
 */

interface LocalCall {
  readonly name: string;
  readonly args: unknown;
  readonly facts: ConversationFacts;
  readonly tainted: readonly string[];
}

/**
 * Requires an alert's symbol to be in the person's own words, and also its price if the conversation contains text from
 * outside sources. Requires a schedule to be the one that the planner parses from the newest message.
 * @throws {TradeAgentError} `blocked`
 */
export function requireUserWords({ name, args, facts, tainted }: LocalCall): void {
  const { symbol, every } = args as { symbol?: string; every?: string };
  if (name === addSchedule.name) {
    const { parsed } = parseNewestTurn(facts.said);
    const intents = facts.composedBy === undefined && 'intents' in parsed ? parsed.intents : [];
    if (intents.some((intent) => intent.kind === 'look' && intent.every === every)) return;
    throw notSaidError(
      'the user’s latest message does not ask for this schedule',
      'Ask the user to write "check my alerts every 15 minutes", or to run "trade-agent schedule add".',
    );
  }
  if (symbol === undefined || !isSymbolSaid(facts, symbol)) {
    throw notSaidError(
      `the user has not named ${symbol ?? 'a symbol'}`,
      'Only what the user asks for can be saved. If they named a company, look it up with search_symbols first.',
    );
  }
  if (name !== setAlert.name || tainted.length === 0) return;
  const { limit } = alertCondition(alertSchema.parse(args));
  if (isNumberSaid(facts, symbol, limit.replace('%', ''))) return;
  throw notSaidError(
    `the user has not said ${limit}`,
    'This conversation contains text from outside sources, so the price must be in the user’s own words: ask them for it.',
  );
}

function isSymbolSaid({ said, names = [] }: ConversationFacts, symbol: string): boolean {
  return said.some((_, at) => {
    const turns = said.slice(0, at + 1);
    const { parsed } = parseNewestTurn(turns);
    const named = 'intents' in parsed ? parsed.intents.flatMap(listIntentSymbols) : [];
    const tickers = named.map((one) => (isUnresolvedName(one) ? (findSymbol(one, names) ?? one.toUpperCase()) : one));
    return tickers.includes(symbol) || parseUtterances(turns, symbol, names).some((reading) => reading.symbol);
  });
}

function isNumberSaid({ said, names = [] }: ConversationFacts, symbol: string, value: string): boolean {
  return said.some((_, at) =>
    parseUtterances(said.slice(0, at + 1), symbol, names).some(({ numbers }) =>
      numbers.some((number) => new Dec(number.value).eq(value)),
    ),
  );
}

function notSaidError(message: string, hint: string): TradeAgentError {
  return new TradeAgentError('blocked', message, { hint });
}
