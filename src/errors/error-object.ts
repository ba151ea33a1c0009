import { defined } from '../values/defined.ts';
import { isTradeAgentError } from './errors.ts';
import { type ProblemMembers, problemMembers } from './problem-members.ts';

/** An error as `--output json` shows it, with what the gateway's problem said beside its sentence. */
export interface ErrorObject extends ProblemMembers {
  readonly code: string;
  readonly message: string;
  readonly hint?: string;
}

/** The code, message and hint of anything thrown. What isn't the program's own error keeps its stack to itself. */
export function errorObject(error: unknown): ErrorObject {
  if (isTradeAgentError(error)) {
    const { code, message, hint, details } = error;
    return { code, message, ...defined({ hint }), ...problemMembers(details) };
  }
  return {
    code: 'internal',
    message: `unexpected error: ${error instanceof Error ? `${error.name}: ${error.message}` : String(error)}`,
    hint: 'This is a bug in trade-agent. No order is placed without an approval; check "trade-agent orders".',
  };
}
