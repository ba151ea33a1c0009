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
  /** How long an answer is held back for the person’s decision, milliseconds. */
  readonly holdMs: number;
}

/** Clients give up, or move a call aside, soon after. */
export const HOLD_MS = 20_000;
