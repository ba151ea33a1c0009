import type { GatewayClient } from '../tools/gateway/gateway-client.ts';
import type { Quote } from '../trading/views.ts';
import { missingPriceCode } from './readable.ts';
import type { MissingPrice } from './snapshot.ts';

/** The gateway's maximum number of symbols per request. */
const SYMBOLS_PER_REQUEST = 50;

/**
 * Reads quotes. The gateway refuses a whole request if one symbol has no price, so the request is split in
 * half again and again until that symbol is found.
 */
export async function readQuotes(gateway: Pick<GatewayClient, 'quotes'>, symbols: readonly string[]) {
  const quotes = new Map<string, Quote>();
  const noPrice: MissingPrice[] = [];
  const read = async (some: readonly string[]): Promise<void> => {
    try {
      for (const quote of await gateway.quotes(some)) quotes.set(quote.symbol, quote);
    } catch (error) {
      const code = missingPriceCode(error);
      if (code === undefined) throw error;
      const [only] = some;
      if (some.length === 1 && only !== undefined) {
        noPrice.push({ symbol: only, code });
        return;
      }
      const half = Math.ceil(some.length / 2);
      await read(some.slice(0, half));
      await read(some.slice(half));
    }
  };
  for (let from = 0; from < symbols.length; from += SYMBOLS_PER_REQUEST)
    await read(symbols.slice(from, from + SYMBOLS_PER_REQUEST));
  return { quotes, noPrice };
}
