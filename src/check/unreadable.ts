import { isTradeAgentError } from '../errors/errors.ts';
import type { NoPrice } from './snapshot.ts';

/** Undefined for an answer that makes no sense: what else a check looks at is looked at all the same. */
export async function unlessUnreadable<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (isTradeAgentError(error) && error.code === 'gateway_refused') return undefined;
    throw error;
  }
}

/** Why there is no price, where that is all that an error says. */
export function noPriceCode(error: unknown): NoPrice['code'] | undefined {
  if (!isTradeAgentError(error)) return undefined;
  if (error.code === 'unknown_symbol') return 'unknown_symbol';
  return error.details.problem === 'price_unavailable' ? 'price_unavailable' : undefined;
}
