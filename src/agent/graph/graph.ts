import type { BaseCheckpointSaver } from '@langchain/langgraph';
import { END, interrupt, Send, START, StateGraph } from '@langchain/langgraph';
import { findTool } from '../../tools/catalog.ts';
import {
  AgentState,
  type AgentStateValue,
  ProposalGraphOutput,
  ProposalGraphState,
  type ProposalGraphValue,
  type ToolCall,
} from './agent-state.ts';
import { collectConversationFacts } from './conversation-facts.ts';
import type { GraphEnvironment } from './graph-environment.ts';
import { createModelNode, findUnansweredCalls, hasReachedLimit } from './model-node.ts';
import { createProposalQuota } from './proposal-quota.ts';
import { createResultNode } from './proposal-result.ts';
import { createDraftNode, createProposeNode } from './propose-node.ts';
import { createToolNode } from './tool-node.ts';

export interface AwaitedProposal {
  readonly proposal: string;
}

/**
 * Builds the subgraph that takes one proposal from call to result, with separate checkpoints. In one flat graph, an
 * approved proposal would wait until all other proposals are decided, because a step ends only when all its tasks end.
 */
function proposalGraph(environment: GraphEnvironment) {
  return new StateGraph({ state: ProposalGraphState, output: ProposalGraphOutput })
    .addNode('draft', createDraftNode(environment), { ends: ['propose', END] })
    .addNode('propose', createProposeNode(environment), { ends: ['await', END] })
    .addNode('await', (state: ProposalGraphValue) => {
      // This node must do nothing else, because on resume it runs again from its start.
      interrupt<AwaitedProposal, unknown>({ proposal: state.proposed });
      return {};
    })
    .addNode('result', createResultNode(environment), { ends: ['draft', 'await', END] })
    .addEdge(START, 'draft')
    .addEdge('await', 'result')
    .compile();
}

/**
 * Builds the agent's graph: `model` → one `Send` per call → `tool` or `proposal` → `model`, until the model makes no
 * calls. For composed orders, the graph starts with their calls. No node has a retry policy, because each node decides
 * which requests it may repeat, and with which idempotency key.
 */
export function buildGraph(environment: GraphEnvironment, checkpointer: BaseCheckpointSaver) {
  const route = (state: AgentStateValue) => {
    if (hasReachedLimit(state, environment.maxTurns)) return END;
    const latest = state.messages.at(-1);
    const calls = findUnansweredCalls(state.messages);
    if (calls.length === 0) return latest?.type === 'tool' ? 'model' : END;
    const asks = createProposalQuota(state);
    const facts = collectConversationFacts(state.messages);
    let proposals = 0;
    return calls.map((call) => {
      const work = { call, prompt: state.prompt, turn: state.turns };
      const { tainted } = state;
      return isProposal(call)
        ? new Send('proposal', { ...work, attempt: 1, asks: asks(proposals++), tainted, facts })
        : new Send('tool', findTool(call.name)?.risk === 'local' ? { ...work, facts, tainted } : work);
    });
  };
  const begin = (state: AgentStateValue) => (state.messages.at(-1)?.type === 'ai' ? route(state) : 'model');
  return new StateGraph(AgentState)
    .addNode('model', createModelNode(environment))
    .addNode('tool', createToolNode(environment))
    .addNode('proposal', proposalGraph(environment))
    .addConditionalEdges(START, begin, ['proposal', 'model'])
    .addConditionalEdges('model', route, ['tool', 'proposal', 'model', END])
    .addEdge('tool', 'model')
    .addEdge('proposal', 'model')
    .compile({ checkpointer });
}

function isProposal({ name }: ToolCall): boolean {
  const risk = findTool(name)?.risk;
  return risk !== undefined && !['read', 'keep', 'local'].includes(risk);
}

export type AgentGraph = ReturnType<typeof buildGraph>;
