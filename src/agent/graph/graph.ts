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
import { asksOf } from './asks.ts';
import { conversationFacts } from './conversation-facts.ts';
import type { GraphEnvironment } from './graph-environment.ts';
import { isFinished, modelNode, openCalls } from './model-node.ts';
import { resultNode } from './proposal-result.ts';
import { draftNode, proposeNode } from './propose-node.ts';
import { toolNode } from './tool-node.ts';

/** What a proposal's interrupt tells the runner. */
export interface AwaitedProposal {
  readonly proposal: string;
}

/**
 * One proposal, from the call to its result, as a graph of its own with checkpoints of its own. Those of one message run
 * beside each other; in a single graph the first approved would wait for the last, since a step ends only when all its
 * tasks have.
 */
function proposalGraph(environment: GraphEnvironment) {
  return new StateGraph({ state: ProposalGraphState, output: ProposalGraphOutput })
    .addNode('draft', draftNode(environment), { ends: ['propose', END] })
    .addNode('propose', proposeNode(environment), { ends: ['await', END] })
    .addNode('await', (state: ProposalGraphValue) => {
      // Nothing else belongs here: on resume a node runs again from its top.
      interrupt<AwaitedProposal, unknown>({ proposal: state.proposed });
      return {};
    })
    .addNode('result', resultNode(environment), { ends: ['draft', 'await', END] })
    .addEdge(START, 'draft')
    .addEdge('await', 'result')
    .compile();
}

/**
 * The agent's graph: `model` → one `Send` for each call → `tool` or `proposal` → `model` again, until it calls nothing.
 * Orders that a program put together begin with their calls.
 * No node has a retry policy: what may be done again, and under which key, is for the node to say.
 */
export function buildGraph(environment: GraphEnvironment, checkpointer: BaseCheckpointSaver) {
  const route = (state: AgentStateValue) => {
    if (isFinished(state, environment.maxTurns)) return END;
    const latest = state.messages.at(-1);
    const calls = openCalls(state.messages);
    if (calls.length === 0) return latest?.type === 'tool' ? 'model' : END;
    const asks = asksOf(state);
    const facts = conversationFacts(state.messages);
    let proposals = 0;
    return calls.map((call) => {
      const work = { call, prompt: state.prompt, turn: state.turns };
      const { tainted } = state;
      return proposes(call)
        ? new Send('proposal', { ...work, attempt: 1, asks: asks(proposals++), tainted, facts })
        : new Send('tool', findTool(call.name)?.risk === 'local' ? { ...work, facts, tainted } : work);
    });
  };
  /** What a program put together is called for already. */
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

function proposes({ name }: ToolCall): boolean {
  const risk = findTool(name)?.risk;
  return risk !== undefined && !['read', 'keep', 'local'].includes(risk);
}

export type AgentGraph = ReturnType<typeof buildGraph>;
