import { TradeAgentError } from './errors.ts';

/** Said wherever it is so: errors, tools, the doctor. */
export const NOT_SIGNED_IN = 'nobody is signed in';

/** What to do where nobody is signed in. @param chosenBy `--profile work`, where one was named that is not the usual one */
export function loginHint(chosenBy: readonly string[] = []): string {
  return `Sign in with "${['trade-agent', 'login', ...chosenBy].join(' ')}".`;
}

/**
 * Nobody is signed in, or no longer.
 * @param message what happened, where that says more
 */
export function loginRequired(message = NOT_SIGNED_IN, chosenBy?: readonly string[]): TradeAgentError {
  return new TradeAgentError('login_required', message, { hint: loginHint(chosenBy) });
}
