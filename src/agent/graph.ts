import type { BaseCheckpointSaver } from '@langchain/langgraph';
import { type Command, END, interrupt, Send, START, StateGraph } from '@langchain/langgraph';
import { findTool } from '../tools/catalog.ts';
import {
  AgentState,
  type AgentStateValue,
  OrderOutput,
  OrderState,
  type OrderStateValue,
} from './agent-state.ts';
import { ofKind } from './approvals-of-kind.ts';
import { executeMessageNode } from './execute-message-node.ts';
import { executeNode } from './execute-node.ts';
import type { GraphEnvironment } from './graph-environment.ts';
import { isFinished, modelNode, openCalls } from './model-node.ts';
import { type Complete, completeMessage, completeOrder, proposeNode, requestNode } from './propose-node.ts';
import { toolNode } from './tool-node.ts';

/** What an order's interrupt tells the runner. */
export interface AwaitedApproval {
  readonly approval: string;
}

/**
 * One order or message, from proposal to result, as a graph of its own with checkpoints of its own. Orders of one message run
 * beside each other; in a single graph the first approved would wait for the last, since a step ends only when all
 * its tasks have.
 */
function approvalGraph(
  environment: GraphEnvironment,
  complete: Complete,
  execute: (state: OrderStateValue) => Promise<Command>,
) {
  return new StateGraph({ state: OrderState, output: OrderOutput })
    .addNode('propose', proposeNode(environment, complete), { ends: ['request', END] })
    .addNode('request', requestNode(environment), { ends: ['await', END] })
    .addNode('await', (state: OrderStateValue) => {
      // Nothing else belongs here: on resume a node runs again from its top.
      interrupt<AwaitedApproval, unknown>({ approval: state.approval });
      return {};
    })
    .addNode('execute', execute, { ends: ['propose', 'await', END] })
    .addEdge(START, 'propose')
    .addEdge('await', 'execute')
    .compile();
}

/**
 * The agent's graph: `model` → one `Send` for each call → `tool` or `order` → `model` again, until it calls nothing.
 * No node has a retry policy: one that trades must never be retried by the engine.
 */
export function buildGraph(environment: GraphEnvironment, checkpointer: BaseCheckpointSaver) {
  const route = (state: AgentStateValue) => {
    if (isFinished(state, environment.maxTurns)) return END;
    const latest = state.messages.at(-1);
    const calls = openCalls(state.messages);
    if (calls.length === 0) return latest?.type === 'tool' ? 'model' : END;
    return calls.map((call) => {
      const work = { call, prompt: state.prompt, turn: state.turns };
      switch (findTool(call.name)?.risk) {
        case 'trade':
          return new Send('order', { ...work, attempt: 1 });
        case 'send':
          return new Send('message', { ...work, attempt: 1 });
        default:
          return new Send('tool', work);
      }
    });
  };
  const { approvals } = environment;
  const orders = { ...environment, approvals: ofKind(approvals, 'order') };
  const messages = { ...environment, approvals: ofKind(approvals, 'message') };
  return new StateGraph(AgentState)
    .addNode('model', modelNode(environment))
    .addNode('tool', toolNode(environment))
    .addNode('order', approvalGraph(environment, completeOrder, executeNode(orders)))
    .addNode('message', approvalGraph(environment, completeMessage, executeMessageNode(messages)))
    .addEdge(START, 'model')
    .addConditionalEdges('model', route, ['tool', 'order', 'message', 'model', END])
    .addEdge('tool', 'model')
    .addEdge('order', 'model')
    .addEdge('message', 'model')
    .compile({ checkpointer });
}

export type AgentGraph = ReturnType<typeof buildGraph>;
