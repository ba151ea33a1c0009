import type { ErrorCode } from '../../errors/errors.ts';

/** Where the planner puts its refusal, in an answer's `response_metadata`. */
export const REFUSAL = 'trade_agent_refusal';

/** Why the planner did not do as asked. */
export interface PlannerRefusal {
  readonly code: ErrorCode;
  readonly message: string;
  readonly hint: string;
  /** The sentence that it asks about: a "yes" is that. */
  readonly offer?: string;
}
