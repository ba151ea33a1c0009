import { isTradeAgentError, TradeAgentError } from '../../errors/errors.ts';
import type { Quote } from '../../trading/views.ts';
import type { App } from '../app.ts';

/** Of the symbols that were asked for, what there is. */
export interface Quotes {
  /** In the order asked. */
  readonly quotes: readonly Quote[];
  /** Those without one, as they were typed, and why. */
  readonly missing: readonly { readonly symbol: string; readonly message: string }[];
}

/**
 * The latest prices of those symbols that have one.
 * @throws {TradeAgentError} `unknown_symbol` where none has, `login_required`
 */
export async function latestQuotes(app: Pick<App, 'gateway'>, symbols: readonly string[]): Promise<Quotes> {
  const { symbolSchema } = await import('../../trading/order.ts');
  const missing: Quotes['missing'][number][] = [];
  const asked: string[] = [];
  for (const text of symbols) {
    const symbol = symbolSchema.safeParse(text);
    if (symbol.success) asked.push(symbol.data);
    else missing.push({ symbol: text, message: `"${text}" is not a ticker symbol` });
  }
  const gateway = await app.gateway();
  /** One unknown symbol makes the gateway refuse all of a request: each half is asked by itself then. */
  const quotesOf = async (some: readonly string[]): Promise<readonly Quote[]> => {
    const [first] = some;
    if (first === undefined) return [];
    try {
      return await gateway.quotes(some);
    } catch (error) {
      if (!isTradeAgentError(error) || error.code !== 'unknown_symbol') throw error;
      if (some.length === 1) {
        missing.push({ symbol: first, message: error.message });
        return [];
      }
      const half = Math.ceil(some.length / 2);
      return [...(await quotesOf(some.slice(0, half))), ...(await quotesOf(some.slice(half)))];
    }
  };
  const quotes = await quotesOf([...new Set(asked)]);
  const [first] = missing;
  if (quotes.length > 0 || first === undefined) return { quotes, missing };
  throw new TradeAgentError('unknown_symbol', missing.map(({ message }) => message).join('; '), {
    hint: 'Symbols look like AAPL or BRK.B.',
  });
}

/** What was typed, as symbols. @throws {TradeAgentError} `unknown_symbol` for what is none */
export async function tickers(typed: readonly string[]): Promise<string[]> {
  const { symbolSchema } = await import('../../trading/order.ts');
  return typed.map((text) => {
    const symbol = symbolSchema.safeParse(text);
    if (symbol.success) return symbol.data;
    throw new TradeAgentError('unknown_symbol', `"${text}" is not a ticker symbol`, {
      hint: 'Symbols look like AAPL or BRK.B.',
    });
  });
}
