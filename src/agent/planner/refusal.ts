import type { ErrorCode } from '../../errors/errors.ts';

export const REFUSAL_KEY = 'trade_agent_refusal';

export interface PlannerRefusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  /** The sentence that the person can accept with "yes". */
  readonly offer?: string;
}
