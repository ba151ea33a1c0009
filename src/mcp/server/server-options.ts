import type { Clock } from '../../machine/clock.ts';
import type { AccountQuestions } from './account-questions.ts';

export interface McpServerOptions {
  readonly version: string;
  readonly readOnly: boolean;
  readonly clock: Clock;
  /** Id of one client's run on a server of its own, which scopes its request ids. */
  readonly run?: string;
  readonly accounts: AccountQuestions;
  /** How long an answer is held for the person's decision; at most {@link SHORT_HOLD_MS} without progress. */
  readonly holdMs: number;
}

/** Clients give up, or move a call to the background, soon after. */
export const HOLD_MS = 20_000;

/** Clients without progress may time out after five seconds (OpenAI Agents for Python), while the phone still rings. */
export const SHORT_HOLD_MS = 4_000;
