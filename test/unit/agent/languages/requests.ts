/**
 * Common requests in a language, each with its translation into the planner's English. `a|b` are alternatives, and `a?`
 * is optional. `{qty}`, `{symbol}` and `{price}` are placeholders. `{dollars}` includes the dollar sign and `{amount}`
 * does not; both become `{money}` in English.
 */
export interface LanguageRequests {
  /** Whether `1.000` means a thousand. */
  readonly groupsByPoint: boolean;
  readonly requests: readonly (readonly [english: string, ...said: string[]])[];
}
