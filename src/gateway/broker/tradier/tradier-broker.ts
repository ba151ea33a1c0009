import { z } from 'zod';
import { type Watchlist, watchlistSchema } from '../../../trading/market-news.ts';
import type { AssetCatalogue } from '../asset-catalogue.ts';
import type { Broker, ConnectBroker } from '../broker.ts';
import { brokerRequests } from '../broker-requests.ts';
import { notOffered } from '../not-offered.ts';
import type { RestClient } from '../rest-client.ts';
import { accountOf, positionsOf } from './account.ts';
import { activitiesOf } from './activities.ts';
import {
  accountsOf,
  chosenAccount,
  listOf,
  type TradierAccount,
  type TradierOptions,
  tokenOf,
  tradierClient,
  wrapped,
} from './client.ts';
import { failureOf } from './failure.ts';
import { clockOf, tradingDays } from './hours.ts';
import { assetView, barsOf, quoteRows, quoteView } from './market-data.ts';
import { tradierOrders } from './orders.ts';
import { ourSymbol, theirSymbol } from './symbols.ts';
import { tradierTraits } from './traits.ts';

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

async function watchlistOf(client: RestClient): Promise<Watchlist> {
  const found = await primary(client);
  return found === undefined ? { symbols: [], updated_at: null } : view(await client(pathOf(found.id)));
}

async function setWatchlistOf(client: RestClient, symbols: readonly string[]): Promise<Watchlist> {
  const found = await primary(client);
  const form = { name: found?.name ?? 'default', symbols: symbols.map(theirSymbol).join(',') };
  return view(
    found === undefined
      ? await client('/watchlists', { method: 'POST', form })
      : await client(pathOf(found.id), { method: 'PUT', form }),
  );
}

/** Tradier's Brokerage API (documentation.tradier.com), by plain requests. */
export function connectTradier(options: TradierOptions & { readonly assets: AssetCatalogue }): ConnectBroker {
  return (credentials, onUnauthorized, send = options.fetch): Broker => {
    const client = tradierClient({ ...options, fetch: send }, tokenOf(credentials));
    const kept = 'token' in credentials ? 'access_token' : undefined;
    const requests = brokerRequests((error) => {
      const failure = failureOf(error, kept);
      if (failure.kind === 'unauthorized') onUnauthorized();
      return failure;
    });
    const { read } = requests;
    let known: Promise<TradierAccount> | undefined;
    // What failed once is asked again; the answer of a profile holds as long as the credentials do.
    const account = () => {
      known ??= accountsOf(client).then((accounts) => chosenAccount(accounts, credentials));
      known.catch(() => {
        known = undefined;
      });
      return known;
    };
    // A number that was given with the token is proved by what is asked of it.
    const path = async () =>
      `/accounts/${'accountNumber' in credentials ? credentials.accountNumber : (await account()).number}`;
    return {
      ...notOffered(tradierTraits.label, tradierTraits.lacks),
      ...tradierOrders(client, async () => `${await path()}/orders`, requests),
      account: () => read(async () => accountOf(client, await path(), await account(), options)),
      positions: () => read(async () => positionsOf(client, await path(), options.now())),
      asset: (symbol) =>
        options.assets.find(symbol, () =>
          read(async () => {
            const row = (await quoteRows(client, [symbol])).get(symbol);
            return row === undefined ? undefined : assetView(symbol, row);
          }),
        ),
      quotes: (symbols) =>
        read(async () => {
          const rows = await quoteRows(client, symbols);
          return symbols.flatMap((symbol) => {
            const row = rows.get(symbol);
            return row === undefined ? [] : (quoteView(symbol, row, options.simulated) ?? []);
          });
        }),
      bars: (query) => read(() => barsOf(client, query)),
      clock: () => read(() => clockOf(client)),
      calendar: (query) => read(() => tradingDays(client, query)),
      activities: (query) => read(async () => activitiesOf(client, await path(), query, options.now())),
      watchlist: () => read(() => watchlistOf(client)),
      setWatchlist: (symbols) => read(() => setWatchlistOf(client, symbols)),
    };
  };
}
