import { TradeAgentError } from './errors.ts';

/** Shared by errors, tools and the doctor, so that all of them use the same words. */
export const NOT_SIGNED_IN = 'you are not signed in';

/** Returns the hint for signing in. @param profileOptions options that select the profile, such as `--profile work` */
export function loginHint(profileOptions: readonly string[] = []): string {
  return `Sign in with "${['trade-agent', 'login', ...profileOptions].join(' ')}".`;
}

/** Creates the error for a person who is not signed in. @param message what happened, if more is known */
export function loginRequiredError(message = NOT_SIGNED_IN, profileOptions?: readonly string[]): TradeAgentError {
  return new TradeAgentError('login_required', message, { hint: loginHint(profileOptions) });
}
