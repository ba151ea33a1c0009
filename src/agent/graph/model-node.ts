import { AIMessage, type AIMessageChunk, type BaseMessage, SystemMessage } from '@langchain/core/messages';
import { findTool } from '../../tools/catalog.ts';
import { isTradeAgentError, TradeAgentError } from '../../trading/errors.ts';
import { addUsage, usageOf } from '../model/usage.ts';
import { type PlannerRefusal, REFUSAL } from '../planner/refusal.ts';
import { shortId } from '../short-id.ts';
import type { AgentStateValue, Outcome, ToolCall } from './agent-state.ts';
import { composedAnswer } from './composed-orders.ts';
import type { GraphEnvironment } from './graph-environment.ts';
import { answerEveryCall, outsideMarked } from './message-history.ts';
import { systemPrompt } from './system-prompt.ts';
import { errorMessage } from './tool-outcome.ts';

/** More calls than this in one turn are answered with an error: a person can't judge twenty approvals at once. */
export const MAX_CALLS = 20;
/** Turns of nothing but malformed or unknown calls before the run ends. */
const MAX_MISTAKES = 3;

/** Calls the model once. Its answer, with calls under ids of our own, is what the checkpoint keeps. */
export function modelNode(environment: GraphEnvironment) {
  const { model, signal, clock, emit } = environment;
  return async (state: AgentStateValue): Promise<Partial<AgentStateValue>> => {
    const turn = state.turns + 1;
    const composed = composedAnswer(state.messages);
    if (composed !== undefined) {
      emit({ type: 'text', delta: composed });
      return { messages: [new AIMessage(composed)], turns: turn };
    }
    const outcome = (tool: string, error: NonNullable<Outcome['error']>): Outcome => ({
      prompt: state.prompt,
      turn,
      tool,
      error,
    });
    if (state.turns >= environment.maxTurns) {
      const message = `stopped after ${environment.maxTurns} model calls`;
      return {
        messages: [new AIMessage(`I ${message}.`)],
        outcomes: [
          outcome('model', {
            code: 'model_error',
            message,
            hint: 'Raise --max-turns, or ask for less at once.',
          }),
        ],
      };
    }

    const prompt = systemPrompt(environment.session, { readOnly: environment.readOnly, now: clock.now() });
    let answer: AIMessageChunk | undefined;
    try {
      signal.throwIfAborted();
      const answered = answerEveryCall(state.messages);
      const history = model.builtin ? answered : outsideMarked(answered);
      const notice = (message: string) => emit({ type: 'notice', message });
      for await (const chunk of model.stream([new SystemMessage(prompt), ...history], signal, notice)) {
        answer = answer === undefined ? chunk : answer.concat(chunk);
        if (chunk.text !== '') emit({ type: 'text', delta: chunk.text });
      }
    } catch (error) {
      if (signal.aborted) throw isTradeAgentError(signal.reason) ? signal.reason : interrupted();
      throw error;
    }
    if (answer === undefined) {
      throw new TradeAgentError('model_error', 'the model answered nothing', { hint: 'Try again.' });
    }

    const { message, rejected } = readAnswer(answer, (name) => isTool(environment, name));
    const valid = message.tool_calls?.length ?? 0;
    const mistaken = valid > 0 && rejected.length === valid;
    const mistakes = mistaken ? state.mistakes + 1 : 0;
    const outcomes: Outcome[] = [];
    const messages: BaseMessage[] = [message, ...rejected];
    const refusal = answer.response_metadata[REFUSAL] as PlannerRefusal | undefined;
    if (model.builtin && refusal !== undefined) outcomes.push(outcome('planner', refusal));
    if (mistakes >= MAX_MISTAKES) {
      const text = 'the model kept making calls that cannot be understood';
      outcomes.push(
        outcome('model', { code: 'model_error', message: text, hint: 'Try again, or another model.' }),
      );
    }
    return {
      messages,
      outcomes,
      turns: turn,
      mistakes,
      usage: addUsage(state.usage, usageOf(answer, environment.profile.model.price)),
    };
  };
}

/** Whether the model has had its last turn, whatever it called. */
export function isFinished(state: AgentStateValue, maxTurns: number): boolean {
  return state.mistakes >= MAX_MISTAKES || state.turns > maxTurns;
}

/** The calls of the latest answer that were not already answered with an error. */
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

/**
 * The answer as a message of ours. Every call gets a fresh id: servers repeat theirs (`call_0`), and an order's
 * client_order_id comes from it, so that a repeated id would mean an order already placed. Malformed calls stay in
 * the message with empty arguments, each with its error beside it, since a chat API wants every call answered.
 */
function readAnswer(answer: AIMessageChunk, isTool: (name: string) => boolean) {
  const calls: ToolCall[] = [];
  const rejected: ReturnType<typeof errorMessage>[] = [];
  const reject = (call: ToolCall, text: string) => {
    rejected.push(errorMessage(call, { code: 'model_error', message: text }));
  };
  for (const { name, args } of rawCalls(answer)) {
    const parsed = parseArguments(args);
    const call = { id: shortId('tc_', 12), name: toolName(name), args: parsed ?? {} };
    calls.push(call);
    if (calls.length > MAX_CALLS) reject(call, `more than ${MAX_CALLS} calls in one turn`);
    else if (!isTool(name)) reject(call, 'there is no such tool');
    else if (parsed === undefined) reject(call, 'the arguments are not a JSON object');
  }
  return { message: new AIMessage({ content: answer.text, tool_calls: calls }), rejected };
}

/** Ours, or one of somebody else's that the owner allowed. */
function isTool({ foreign }: GraphEnvironment, name: string): boolean {
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
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function interrupted(): TradeAgentError {
  return new TradeAgentError('interrupted', 'the run was stopped');
}
