import type { Clock } from '../../machine/clock.ts';
import type { AccountQuestions } from './account-questions.ts';

export interface McpServerOptions {
  readonly version: string;
  readonly readOnly: boolean;
  readonly clock: Clock;
  /** ID of one run of a server that serves a single client. The client's request IDs are unique only within a run. */
  readonly run?: string;
  readonly accounts: AccountQuestions;
  /**
   * Receives the subscriptions of a client of a 2025 revision. Absent over HTTP, where such a client has no stream for
   * notifications. `add` throws a `ProtocolError` if there are too many.
   */
  readonly subscriptions?: { add(uri: string): void; remove(uri: string): void };
  /**
   * How long a response may wait for a decision, in milliseconds. For clients without progress notifications, at most
   * {@link SHORT_RESPONSE_HOLD_MS}.
   */
  readonly holdMs: number;
}

/** How long a response may wait by default, in milliseconds. Soon after this time, clients give up. */
export const RESPONSE_HOLD_MS = 20_000;

/** The limit for clients without progress notifications. Some time out after 5 s (OpenAI Agents for Python). */
export const SHORT_RESPONSE_HOLD_MS = 4_000;
