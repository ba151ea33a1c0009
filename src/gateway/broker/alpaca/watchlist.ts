import type { Alpaca, trading } from '@alpacahq/alpaca-trade-api/rest';
import { type Watchlist, watchlistSchema } from '../../../trading/market-news.ts';
import type { Broker } from '../broker.ts';
import type { Read } from './news.ts';

/** What Alpaca's own app calls the list that everybody begins with. */
const PRIMARY = 'Primary Watchlist';

/**
 * The owner's list at Alpaca (`/v2/watchlists`): of several the one that Alpaca's own app shows first, else the oldest.
 * The others are left alone.
 */
export function alpacaWatchlist(read: Read): Pick<Broker, 'watchlist' | 'setWatchlist'> {
  return {
    watchlist: () =>
      read(async ({ trading }) => {
        const found = await primary(trading);
        return found === undefined
          ? { symbols: [], updated_at: null }
          : watchlistView(await trading.watchlists.getWatchlistById({ watchlistId: found.id }));
      }),
    setWatchlist: (symbols) =>
      read(async ({ trading }) => {
        const found = await primary(trading);
        const list = { name: found?.name ?? PRIMARY, symbols: [...symbols] };
        return watchlistView(
          found === undefined
            ? await trading.watchlists.postWatchlist({ createWatchlistRequest: list })
            : await trading.watchlists.updateWatchlistById({
                watchlistId: found.id,
                updateWatchlistRequest: list,
              }),
        );
      }),
  };
}

async function primary({
  watchlists,
}: Alpaca['trading']): Promise<trading.WatchlistWithoutAsset | undefined> {
  const all = await watchlists.getWatchlists();
  const oldest = [...all].sort((a, b) => Number(a.createdAt) - Number(b.createdAt))[0];
  return all.find(({ name }) => name === PRIMARY) ?? oldest;
}

function watchlistView({ assets = [], updatedAt }: trading.Watchlist): Watchlist {
  return watchlistSchema.parse({
    symbols: assets.map(({ symbol }) => symbol),
    updated_at: new Date(updatedAt).toISOString(),
  });
}
