import { TradeAgentError } from '../errors/errors.ts';

export function invalidOrderError(message: string, hint: string, field: string): TradeAgentError {
  return new TradeAgentError('invalid_order', message, { hint, details: { field } });
}

/**
 * Rejects a value that is not one of the `accepted` values.
 * @param what subject and verb, such as `a stop order requires`
 * @throws {TradeAgentError} `invalid_order`
 */
export function requireOneOf(what: string, field: string, given: string, accepted: readonly string[]): void {
  if (accepted.includes(given)) return;
  const wanted = `${field} ${joinWithOr(accepted)}`;
  throw invalidOrderError(`${what} ${wanted}, not ${given}`, `Use ${wanted}.`, field);
}

export function joinWithOr(words: readonly string[]): string {
  return new Intl.ListFormat('en-GB', { type: 'disjunction' }).format(words);
}
