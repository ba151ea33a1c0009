import { type TradingDays, tradingDaysFrom } from '../../tools/get-calendar.ts';
import type { Article } from '../../trading/market-news.ts';
import type { MarketClock } from '../../trading/views.ts';
import type { App } from '../app.ts';
import { tickers } from '../quote/latest-quotes.ts';

/** Whether the market is open, and when it opens and closes next. @throws {TradeAgentError} `login_required` */
export async function marketClock(app: Pick<App, 'gateway'>): Promise<MarketClock> {
  return await (await app.gateway()).clock();
}

/** The trading days of so many calendar days. @param query from today on where no start is given */
export async function tradingDays(
  app: Pick<App, 'gateway'>,
  query: { readonly start?: string | undefined; readonly days: number },
): Promise<TradingDays> {
  return tradingDaysFrom(await app.gateway(), query);
}

/**
 * The newest first; of the whole market where no symbols are given.
 * @throws {TradeAgentError} `unknown_symbol`, `login_required`
 */
export async function latestNews(
  app: Pick<App, 'gateway'>,
  query: { readonly symbols: readonly string[]; readonly limit: number },
): Promise<readonly Article[]> {
  const symbols = await tickers(query.symbols);
  return await (await app.gateway()).news({ symbols, limit: query.limit });
}
