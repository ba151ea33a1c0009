import type { BaseMessage } from '@langchain/core/messages';
import { Annotation, messagesStateReducer } from '@langchain/langgraph';
import type { ProposalRequestInput } from '../../trading/proposal.ts';
import type { Order } from '../../trading/views.ts';
import type { ErrorFacts } from '../events.ts';
import type { Usage } from '../model/usage.ts';
import type { ConversationFacts } from './conversation-facts.ts';

/** A tool call as the model made it, under an id of our own. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly args: Record<string, unknown>;
}

/** What became of one tool call, or of a model's turn that went wrong. */
export interface Outcome {
  readonly prompt: number;
  readonly turn: number;
  readonly tool: string;
  readonly error?: ErrorFacts;
  /** The call in words, where it failed: `sell 2 KO`. */
  readonly what?: string;
  /** What a call that proposes was about: a symbol, an order's id, a recipient. */
  readonly subject?: string;
  /** No tool could be called by it. */
  readonly unusable?: true;
  /** The person was asked. */
  readonly asked?: true;
  /** An order a tool changed (a cancel); those placed are found by their proposals. */
  readonly order?: Order;
}

/** What a proposal may still ask of the person. */
export interface Asks {
  /** Which one of its prompt it would be, counted from 1. */
  readonly ordinal: number;
  /** So many may be asked for this prompt. */
  readonly most: number;
  /** The person said no to one of them. */
  readonly denied: boolean;
}

const messages = Annotation<BaseMessage[], BaseMessage | BaseMessage[]>({
  reducer: messagesStateReducer,
  default: () => [],
});
const outcomes = Annotation<Outcome[]>({
  reducer: (earlier, later) => [...earlier, ...later],
  default: () => [],
});

/** Sources of outside text, each once. What has entered a conversation never leaves it. */
const tainted = Annotation<readonly string[]>({
  reducer: (earlier, later) => [...new Set([...earlier, ...later])],
  default: () => [],
});

/** What a thread's checkpoint holds: plain data and messages, and nothing that could trade. */
export const AgentState = Annotation.Root({
  messages,
  outcomes,
  tainted,
  /** Which prompt of the thread this is, counted from 1. */
  prompt: Annotation<number>({ reducer: (_, next) => next, default: () => 0 }),
  /** Model calls made for this prompt. */
  turns: Annotation<number>({ reducer: (_, next) => next, default: () => 0 }),
  /** Turns in a row in which every call of the model's was malformed, named no tool, or had invalid arguments. */
  mistakes: Annotation<number>({ reducer: (_, next) => next, default: () => 0 }),
  usage: Annotation<Usage>({
    reducer: (_, next) => next,
    default: () => ({ input_tokens: 0, output_tokens: 0 }),
  }),
});
export type AgentStateValue = typeof AgentState.State;

/** One proposal's own state, from the call to its result. */
export const ProposalGraphState = Annotation.Root({
  call: Annotation<ToolCall>(),
  prompt: Annotation<number>(),
  turn: Annotation<number>(),
  attempt: Annotation<number>(),
  asks: Annotation<Asks>(),
  tainted,
  facts: Annotation<ConversationFacts>(),
  /** What is sent under the attempt's key: kept whole, since the same key must come with the same words. */
  drafted: Annotation<ProposalRequestInput>(),
  /** The proposal's id at the gateway, once there is one. */
  proposed: Annotation<string>(),
  messages,
  outcomes,
});
export type ProposalGraphValue = typeof ProposalGraphState.State;

/** What a proposal hands back to the thread. */
export const ProposalGraphOutput = Annotation.Root({ messages, outcomes });
