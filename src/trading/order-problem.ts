import { TradeAgentError } from '../errors/errors.ts';

/** What is wrong with an order: `invalid_order`, with the field and what to write instead. */
export function orderProblem(message: string, hint: string, field: string): TradeAgentError {
  return new TradeAgentError('invalid_order', message, { hint, details: { field } });
}

/**
 * That a field has one of the values that go with the rest.
 * @param what and how it takes them: `a stop order takes`
 * @throws {TradeAgentError} `invalid_order`: "a stop order takes time_in_force day or gtc, not ioc"
 */
export function requireOneOf(what: string, field: string, given: string, taken: readonly string[]): void {
  if (taken.includes(given)) return;
  const wanted = `${field} ${either(taken)}`;
  throw orderProblem(`${what} ${wanted}, not ${given}`, `Use ${wanted}.`, field);
}

/** `day or gtc`; `day, gtc or ioc`. */
export function either(words: readonly string[]): string {
  return new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(words);
}
