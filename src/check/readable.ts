import { isTradeAgentError } from '../errors/errors.ts';
import type { MissingPrice } from './snapshot.ts';

/** Returns undefined if the gateway refuses or its response is invalid, so that the check continues without it. */
export async function undefinedIfUnreadable<T>(read: Promise<T>): Promise<T | undefined> {
  try {
    return await read;
  } catch (error) {
    if (isTradeAgentError(error) && error.code === 'gateway_refused') return undefined;
    throw error;
  }
}

export function missingPriceCode(error: unknown): MissingPrice['code'] | undefined {
  if (!isTradeAgentError(error)) return undefined;
  if (error.code === 'unknown_symbol') return 'unknown_symbol';
  return error.details.problem === 'price_unavailable' ? 'price_unavailable' : undefined;
}
