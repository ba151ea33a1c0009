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
import { conversationFacts } from './conversation-facts.ts';
import type { GraphEnvironment } from './graph-environment.ts';
import { isFinished, modelNode, openCalls } from './model-node.ts';
import { proposalQuota } from './proposal-quota.ts';
import { resultNode } from './proposal-result.ts';
import { draftNode, proposeNode } from './propose-node.ts';
import { toolNode } from './tool-node.ts';

export interface AwaitedProposal {
  readonly proposal: string;
}

/**
 * Builds the subgraph of one proposal, from call to result, with its own checkpoints. In one flat graph, the first
 * approved proposal would wait for the last decision, because a step ends only when all its tasks have ended.
 */
function proposalGraph(environment: GraphEnvironment) {
  return new StateGraph({ state: ProposalGraphState, output: ProposalGraphOutput })
    .addNode('draft', draftNode(environment), { ends: ['propose', END] })
    .addNode('propose', proposeNode(environment), { ends: ['await', END] })
    .addNode('await', (state: ProposalGraphValue) => {
      // Nothing else belongs here: on resume, a node runs again from its top.
      interrupt<AwaitedProposal, unknown>({ proposal: state.proposed });
      return {};
    })
    .addNode('result', resultNode(environment), { ends: ['draft', 'await', END] })
    .addEdge(START, 'draft')
    .addEdge('await', 'result')
    .compile();
}

/**
 * Builds the agent's graph: `model` → one `Send` per call → `tool` or `proposal` → `model`, until the model makes no
 * calls. For composed orders, the graph starts with their calls. No node has a retry policy, because each node decides
 * itself which requests may be repeated, and under which idempotency key.
 */
export function buildGraph(environment: GraphEnvironment, checkpointer: BaseCheckpointSaver) {
  const route = (state: AgentStateValue) => {
    if (isFinished(state, environment.maxTurns)) return END;
    const latest = state.messages.at(-1);
    const calls = openCalls(state.messages);
    if (calls.length === 0) return latest?.type === 'tool' ? 'model' : END;
    const asks = proposalQuota(state);
    const facts = conversationFacts(state.messages);
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
    .addNode('model', modelNode(environment))
    .addNode('tool', toolNode(environment))
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
