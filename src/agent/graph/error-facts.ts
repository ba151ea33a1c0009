import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import { pickProblemMembers } from '../../errors/problem-members.ts';
import { toDatabaseError } from '../../store/sqlite/database-failure.ts';
import { defined } from '../../values/defined.ts';
import type { ErrorFacts } from '../events.ts';

/** Converts any error to a `TradeAgentError`. Drops the messages of unknown errors, which could contain secrets. */
export function toTradeAgentError(error: unknown): TradeAgentError {
  if (isTradeAgentError(error)) return error;
  const known = toDatabaseError(error);
  if (isTradeAgentError(known)) return known;
  return new TradeAgentError('internal', 'something went wrong inside trade-agent', { cause: error });
}

export function toErrorFacts(error: TradeAgentError): ErrorFacts {
  return {
    code: error.code,
    message: error.message,
    ...defined({ hint: error.hint }),
    ...pickProblemMembers(error.details),
  };
}
