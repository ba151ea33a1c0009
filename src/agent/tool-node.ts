import { ToolMessage } from '@langchain/core/messages';
import { isGraphInterrupt } from '@langchain/langgraph';
import { findTool } from '../tools/catalog.ts';
import { TradeAgentError } from '../trading/errors.ts';
import type { AgentStateValue, Outcome, ToolCall } from './agent-state.ts';
import { withConnection } from './awaited-connection.ts';
import type { GraphEnvironment } from './graph-environment.ts';
import { inertJson } from './inert-text.ts';
import { asTradeAgentError, errorFacts, errorMessage } from './tool-outcome.ts';

export interface ToolInput {
  readonly call: ToolCall;
  readonly prompt: number;
  readonly turn: number;
}

/** Runs one call that needs no approval. A failure is an answer for the model, never a broken run. */
export function toolNode(environment: GraphEnvironment) {
  const { clock, emit } = environment;
  return async ({ call, prompt, turn }: ToolInput): Promise<Partial<AgentStateValue>> => {
    const started = environment.callsStarted.get(call.id) ?? clock.now();
    // Once for each run, also where the call stood still for an account to be connected.
    if (!environment.callsStarted.has(call.id)) {
      environment.callsStarted.set(call.id, started);
      emit({ type: 'tool_call', id: call.id, name: call.name, args: call.args });
    }
    const ended = (ok: boolean, summary: string) =>
      emit({ type: 'tool_result', id: call.id, name: call.name, ok, summary, ms: clock.now() - started });
    const outcome: Outcome = { prompt, turn, tool: call.name };
    try {
      const tool = findTool(call.name);
      if (tool === undefined || tool.risk === 'trade' || tool.risk === 'send')
        throw new TypeError('not a tool to run directly');
      if (environment.readOnly && tool.risk !== 'read') throw readOnlyRun();
      const args = tool.schema.safeParse(call.args);
      if (!args.success) {
        const issue = args.error.issues[0];
        throw new TradeAgentError('usage', `${issue?.path.join('.') || 'arguments'}: ${issue?.message}`, {
          hint: 'Correct the arguments.',
        });
      }
      // Every tool of these reads before it changes anything, and reading is what needs the account.
      const result = await withConnection(() =>
        tool.execute({ session: environment.session, gateway: environment.gateway }, args.data),
      );
      if (result.order !== undefined) {
        environment.audit.record('order_cancelled', {
          profile: environment.profile.name,
          sub: environment.session?.user.sub,
          thread: environment.thread,
          order: result.order.id,
          client_order_id: result.order.client_order_id,
          status: result.order.status,
        });
      }
      ended(true, result.summary);
      return {
        messages: [
          new ToolMessage({ tool_call_id: call.id, name: call.name, content: inertJson(result.content) }),
        ],
        outcomes: [{ ...outcome, ...(result.order === undefined ? {} : { order: result.order }) }],
      };
    } catch (error) {
      if (isGraphInterrupt(error)) throw error;
      const facts = errorFacts(asTradeAgentError(error));
      ended(false, facts.message);
      return { messages: [errorMessage(call, facts)], outcomes: [{ ...outcome, error: facts }] };
    }
  };
}

export function readOnlyRun(): TradeAgentError {
  return new TradeAgentError('blocked', 'this run is read-only: it can neither propose nor cancel orders', {
    hint: 'Run it again without --read-only.',
  });
}
