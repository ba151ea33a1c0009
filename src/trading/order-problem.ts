import { TradeAgentError } from './errors.ts';

/** What is wrong with an order: `invalid_order`, with the field and what to write instead. */
export function orderProblem(message: string, hint: string, field: string): TradeAgentError {
  return new TradeAgentError('invalid_order', message, { hint, details: { field } });
}
