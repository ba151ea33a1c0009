import type { AIMessageChunk, BaseMessage } from '@langchain/core/messages';

/** A model with its tools bound. */
export interface ChatModel {
  /** Display name: `gpt-5-mini`, or `built-in planner`. */
  readonly name: string;
  /** Whether this is the built-in planner. A request that the planner refuses is not sent to it again. */
  readonly builtin: boolean;
  /** Streams a response. @throws {TradeAgentError} `model_error`, `interrupted` */
  stream(
    messages: BaseMessage[],
    signal: AbortSignal,
    /** Receives messages for the person, such as why the run is waiting for the model. */
    notice?: (message: string) => void,
    /** Names of the tools to offer, most important first. As many tools as fit are offered. */
    ranked?: readonly string[],
  ): AsyncIterable<AIMessageChunk>;
}
