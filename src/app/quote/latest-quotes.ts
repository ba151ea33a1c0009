import { TradeAgentError } from '../../trading/errors.ts';
import type { Quote } from '../../trading/views.ts';
import type { App } from '../app.ts';

/** The latest prices, in the order asked. @throws {TradeAgentError} `unknown_symbol`, `login_required` */
export async function latestQuotes(app: App, symbols: readonly string[]): Promise<readonly Quote[]> {
  return await (await app.gateway()).quotes(await tickers(symbols));
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
