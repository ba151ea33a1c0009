/**
 * Common requests in a language, each with its translation into the planner's English. `a|b` are alternatives, `a?` is
 * optional. `{qty}`, `{symbol}`, `{price}` are blanks. `{dollars}` includes the dollar sign and `{amount}` does not;
 * both become `{money}` in English.
 */
export interface LanguageRequests {
  /** Whether `1.000` means a thousand. */
  readonly groupsByPoint: boolean;
  readonly requests: readonly (readonly [english: string, ...said: string[]])[];
}
