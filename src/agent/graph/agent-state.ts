import type { BaseMessage } from '@langchain/core/messages';
import { Annotation, messagesStateReducer } from '@langchain/langgraph';
import type { ProposalRequestInput } from '../../trading/proposal.ts';
import type { Order } from '../../trading/views.ts';
import type { ErrorFacts } from '../events.ts';
import type { ModelUsage } from '../model/usage.ts';
import type { ConversationFacts } from './conversation-facts.ts';

export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly args: Record<string, unknown>;
}

export interface CallOutcome {
  readonly prompt: number;
  readonly turn: number;
  readonly tool: string;
  readonly error?: ErrorFacts;
  /** Description of the failed call: `sell 2 KO`. */
  readonly what?: string;
  readonly subject?: string;
  readonly unusable?: true;
  readonly asked?: true;
  /** The order that the call itself changed, such as by canceling it. New orders are found through their proposals. */
  readonly order?: Order;
}

export interface ProposalQuota {
  /** 1-based position among the proposals for this prompt. */
  readonly ordinal: number;
  /** Maximum number of proposals for this prompt. */
  readonly most: number;
  readonly denied: boolean;
}

const messages = Annotation<BaseMessage[], BaseMessage | BaseMessage[]>({
  reducer: messagesStateReducer,
  default: () => [],
});
const outcomes = Annotation<CallOutcome[]>({
  reducer: (earlier, later) => [...earlier, ...later],
  default: () => [],
});

/** Outside sources whose text is in the conversation. None is ever removed, because the model may remember the text. */
const tainted = Annotation<readonly string[]>({
  reducer: (earlier, later) => [...new Set([...earlier, ...later])],
  default: () => [],
});

/** State stored in a thread's checkpoint. It contains no tokens, so a checkpoint can't be used to trade. */
export const AgentState = Annotation.Root({
  messages,
  outcomes,
  tainted,
  /** 1-based number of the prompt in the thread. */
  prompt: Annotation<number>({ reducer: (_, next) => next, default: () => 0 }),
  turns: Annotation<number>({ reducer: (_, next) => next, default: () => 0 }),
  /** Consecutive turns in which every call was malformed, named an unknown tool, or had invalid arguments. */
  mistakes: Annotation<number>({ reducer: (_, next) => next, default: () => 0 }),
  usage: Annotation<ModelUsage>({
    reducer: (_, next) => next,
    default: () => ({ input_tokens: 0, output_tokens: 0 }),
  }),
});
export type AgentStateValue = typeof AgentState.State;

export const ProposalGraphState = Annotation.Root({
  call: Annotation<ToolCall>(),
  prompt: Annotation<number>(),
  turn: Annotation<number>(),
  attempt: Annotation<number>(),
  asks: Annotation<ProposalQuota>(),
  tainted,
  facts: Annotation<ConversationFacts>(),
  /** The current attempt's request, stored so that a retry with the same idempotency key has the same body. */
  drafted: Annotation<ProposalRequestInput>(),
  proposed: Annotation<string>(),
  messages,
  outcomes,
});
export type ProposalGraphValue = typeof ProposalGraphState.State;

export const ProposalGraphOutput = Annotation.Root({ messages, outcomes });

/** Codes of errors that a model can correct by repeating the call with different arguments. */
const correctableCodes = new Set(['usage', 'invalid_order', 'invalid_message', 'unknown_symbol', 'not_found']);

/**
 * Returns the failures that no later call corrected. A later successful call corrects a failure if it calls the same
 * tool for the same subject. The subject may differ if the failed call had invalid arguments. Any later successful call
 * corrects a failed call that was malformed or named an unknown tool (`unusable`).
 */
export function findUncorrectedFailures(
  outcomes: readonly CallOutcome[],
): (CallOutcome & Required<Pick<CallOutcome, 'error'>>)[] {
  return outcomes.flatMap((outcome) => {
    const { error, turn, tool, subject, unusable } = outcome;
    if (error === undefined) return [];
    const corrected = outcomes.some(
      (later) =>
        later.turn > turn &&
        later.error === undefined &&
        (unusable === true ||
          (later.tool === tool &&
            (subject === undefined || later.subject === subject || correctableCodes.has(error.code)))),
    );
    return corrected ? [] : [{ ...outcome, error }];
  });
}
