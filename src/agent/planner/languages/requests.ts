/**
 * Common requests in a language and in the planner's English. `a|b` are alternatives, `a?` is optional. `{qty}`,
 * `{symbol}`, `{price}` are blanks; `{dollars}` (with its sign) and `{amount}` (without) are the English `{money}`.
 */
export interface Language {
  /** Whether `1.000` means a thousand. */
  readonly groupsByPoint: boolean;
  readonly requests: readonly (readonly [english: string, ...said: string[]])[];
}
