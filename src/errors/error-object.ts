import { defined } from '../values/defined.ts';
import { isTradeAgentError } from './errors.ts';
import { type ProblemMembers, pickProblemMembers } from './problem-members.ts';

/** An error as `--output json` prints it, with the members of the gateway's problem. */
export interface ErrorObject extends ProblemMembers {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** Returns the code, message and hint of any thrown value. The stack of an unexpected error is left out. */
export function toErrorObject(error: unknown): ErrorObject {
  if (isTradeAgentError(error)) {
    const { code, message, hint, details } = error;
    return { code, message, ...defined({ hint }), ...pickProblemMembers(details) };
  }
  return {
    code: 'internal',
    message: `unexpected error: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`,
    hint: 'This is a bug in trade-agent. No order is placed without an approval; run "trade-agent orders" to check.',
  };
}
