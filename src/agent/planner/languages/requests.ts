/**
 * A language's common requests: what is said, and the same in the planner's English. Words apart by spaces; `a|b` is
 * either, `a?` may be left out. `{qty}`, `{symbol}` and `{price}` stand for what is filled in; `{dollars}` is with its sign
 * and `{amount}` without, either the `{money}` of the English.
 */
export interface Language {
  /** `1.000` is a thousand to its readers, and one to others. */
  readonly groupsByPoint: boolean;
  readonly requests: readonly (readonly [english: string, ...said: string[]])[];
}
