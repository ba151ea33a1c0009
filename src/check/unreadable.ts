import { isTradeAgentError } from '../errors/errors.ts';
import type { NoPrice } from './snapshot.ts';

/** Returns undefined for an invalid answer, so that the check continues without it. */
export async function unlessUnreadable<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (isTradeAgentError(error) && error.code === 'gateway_refused') return undefined;
    throw error;
  }
}

export function noPriceCode(error: unknown): NoPrice['code'] | undefined {
  if (!isTradeAgentError(error)) return undefined;
  if (error.code === 'unknown_symbol') return 'unknown_symbol';
  return error.details.problem === 'price_unavailable' ? 'price_unavailable' : undefined;
}
