import type { ErrorCode } from '../../errors/errors.ts';

/** Key of the refusal in an answer's `response_metadata`. */
export const REFUSAL = 'trade_agent_refusal';

export interface PlannerRefusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  /** The sentence that a "yes" accepts. */
  readonly offer?: string;
}
