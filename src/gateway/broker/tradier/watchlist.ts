import { z } from 'zod';
import { type Watchlist, watchlistSchema } from '../../../trading/market-news.ts';
import type { RestClient } from '../rest-client.ts';
import { listOf, wrapped } from './client.ts';
import { ourSymbol, theirSymbol } from './symbols.ts';

const rows = wrapped('watchlists', 'watchlist', z.object({ id: z.string(), name: z.string() }));
const one = z.object({
  watchlist: z.object({
    items: z
      .union([z.object({ item: listOf(z.object({ symbol: z.string() })) }), z.literal('null'), z.null()])
      .optional(),
  }),
});

/** The list that everybody begins with at Tradier counts, and where that is gone the first. */
async function primary(client: RestClient) {
  const all = rows.parse(await client('/watchlists'));
  return all.find(({ id }) => id === 'default') ?? all[0];
}

/** Tradier does not tell when a list was changed. */
function view(answer: unknown): Watchlist {
  const { items } = one.parse(answer).watchlist;
  const item = items === undefined || items === null || items === 'null' ? [] : items.item;
  return watchlistSchema.parse({ symbols: item.map(({ symbol }) => ourSymbol(symbol)), updated_at: null });
}

const pathOf = (id: string) => `/watchlists/${encodeURIComponent(id)}`;

export async function watchlistOf(client: RestClient): Promise<Watchlist> {
  const found = await primary(client);
  return found === undefined ? { symbols: [], updated_at: null } : view(await client(pathOf(found.id)));
}

export async function setWatchlistOf(client: RestClient, symbols: readonly string[]): Promise<Watchlist> {
  const found = await primary(client);
  const form = { name: found?.name ?? 'default', symbols: symbols.map(theirSymbol).join(',') };
  return view(
    found === undefined
      ? await client('/watchlists', { method: 'POST', form })
      : await client(pathOf(found.id), { method: 'PUT', form }),
  );
}
