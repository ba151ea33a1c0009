import type { AIMessageChunk, BaseMessage } from '@langchain/core/messages';

/** The model as the graph sees it: its tools are bound already, and it only streams. */
export interface ChatModel {
  /** What the person reads: `gpt-5-mini`, or `built-in planner`. */
  readonly name: string;
  /** True for the built-in planner, which may say with authority that it did not understand. */
  readonly builtin: boolean;
  /** @throws {TradeAgentError} `model_error`, `interrupted` */
  stream(
    messages: BaseMessage[],
    signal: AbortSignal,
    /** Told what the person should know meanwhile: that it waits, say, and why. */
    notice?: (message: string) => void,
  ): AsyncIterable<AIMessageChunk>;
}
