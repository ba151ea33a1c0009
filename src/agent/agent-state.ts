import type { BaseMessage } from '@langchain/core/messages';
import { Annotation, messagesStateReducer } from '@langchain/langgraph';
import type { ErrorCode } from '../trading/errors.ts';
import type { Order } from '../trading/views.ts';

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
  readonly error?: { readonly code: ErrorCode; readonly message: string; readonly hint?: string };
  /** An order a tool changed (a cancel); those placed are found by their approvals. */
  readonly order?: Order;
}

export interface Usage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** Dollars, a decimal string; absent where a call's cost is not known. */
  readonly cost_usd?: string;
}

const messages = Annotation<BaseMessage[], BaseMessage | BaseMessage[]>({
  reducer: messagesStateReducer,
  default: () => [],
});
const outcomes = Annotation<Outcome[]>({
  reducer: (earlier, later) => [...earlier, ...later],
  default: () => [],
});

/**
 * What a thread's checkpoint holds: plain data and messages. No token, no `auth_req_id`, nothing that could trade:
 * those are in the approval's row, sealed.
 */
export const AgentState = Annotation.Root({
  messages,
  outcomes,
  /** Which prompt of the thread this is, counted from 1. */
  prompt: Annotation<number>({ reducer: (_, next) => next, default: () => 0 }),
  /** Model calls made for this prompt. */
  turns: Annotation<number>({ reducer: (_, next) => next, default: () => 0 }),
  /** Turns in a row in which every call of the model's was malformed or named no tool. */
  mistakes: Annotation<number>({ reducer: (_, next) => next, default: () => 0 }),
  usage: Annotation<Usage>({
    reducer: (_, next) => next,
    default: () => ({ input_tokens: 0, output_tokens: 0 }),
  }),
});
export type AgentStateValue = typeof AgentState.State;

/** One order's own state, from proposal to result. */
export const OrderState = Annotation.Root({
  call: Annotation<ToolCall>(),
  prompt: Annotation<number>(),
  turn: Annotation<number>(),
  attempt: Annotation<number>(),
  /** The approval's id, once there is one. */
  approval: Annotation<string>(),
  messages,
  outcomes,
});
export type OrderStateValue = typeof OrderState.State;

/** What an order hands back to the thread. */
export const OrderOutput = Annotation.Root({ messages, outcomes });
