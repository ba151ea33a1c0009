import { READ_SCOPES, WATCHLIST_SCOPE } from '../../oauth/scopes.ts';
import { type Watchlist, watchlistSchema } from '../../trading/market-news.ts';
import { type GatewayRequests, parse } from './gateway-requests.ts';

const [, PORTFOLIO_READ] = READ_SCOPES;

/** What the person keeps an eye on, at their broker. */
export interface WatchlistRequests {
  watchlist(): Promise<Watchlist>;
  /**
   * Puts symbols on it and takes others off; at most 20 of each. What is there already, or not, changes nothing.
   * @throws {TradeAgentError} `unknown_symbol`, `insufficient_scope` in a session from before there was such a right
   */
  changeWatchlist(change: { add?: readonly string[]; remove?: readonly string[] }): Promise<Watchlist>;
}

export function ofWatchlist({ request, read }: GatewayRequests): WatchlistRequests {
  return {
    watchlist: () => read('/v1/watchlist', watchlistSchema, PORTFOLIO_READ),
    changeWatchlist: async ({ add = [], remove = [] }) =>
      parse(
        watchlistSchema,
        await request(
          '/v1/watchlist',
          {
            method: 'PATCH',
            headers: { accept: 'application/json', 'content-type': 'application/json' },
            body: JSON.stringify({ add, remove }),
          },
          [WATCHLIST_SCOPE],
        ),
      ),
  };
}
