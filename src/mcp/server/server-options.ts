import type { Clock } from '../../machine/clock.ts';
import type { AccountQuestions } from './account-questions.ts';

export interface McpServerOptions {
  /** The program's. */
  readonly version: string;
  /** Whether only what reads is there. */
  readonly readOnly: boolean;
  readonly clock: Clock;
  /** Of one client's run, where each has a server of its own: its request ids are nobody else's. */
  readonly run?: string;
  readonly accounts: AccountQuestions;
  /** How long an answer is held back for the person’s decision, milliseconds; {@link SHORT_HOLD_MS} at most without progress. */
  readonly holdMs: number;
}

/** Clients give up, or move a call aside, soon after. */
export const HOLD_MS = 20_000;

/**
 * A client that asks for no progress may read for five seconds alone (OpenAI Agents for Python): it would see the call fail
 * while the phone still rings.
 */
export const SHORT_HOLD_MS = 4_000;
