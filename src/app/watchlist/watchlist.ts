import type { Watchlist } from '../../trading/market-news.ts';
import type { App } from '../app.ts';
import { tickers } from '../quote/latest-quotes.ts';

/** What the person keeps an eye on, at their broker. @throws {TradeAgentError} `login_required` */
export async function readWatchlist(app: Pick<App, 'gateway'>): Promise<Watchlist> {
  return await (await app.gateway()).watchlist();
}

/**
 * Puts symbols on it, or takes them off; what is so already stays.
 * @throws {TradeAgentError} `unknown_symbol`, `login_required`, `insufficient_scope` where the session has no such right
 */
export async function changeWatchlist(
  app: Pick<App, 'gateway'>,
  change: 'add' | 'remove',
  symbols: readonly string[],
): Promise<Watchlist> {
  const wanted = await tickers(symbols);
  return await (await app.gateway()).changeWatchlist({ [change]: wanted });
}
