import type { ErrorCode } from '../../errors/errors.ts';

export const REFUSAL_KEY = 'trade_agent_refusal';

export interface PlannerRefusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  /** The sentence that a "yes" accepts. */
  readonly offer?: string;
}
