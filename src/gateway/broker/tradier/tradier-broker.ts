import type { AssetCatalogue } from '../asset-catalogue.ts';
import type { Broker, ConnectBroker } from '../broker.ts';
import { brokerRequests } from '../broker-requests.ts';
import { notOffered } from '../not-offered.ts';
import { accountOf, positionsOf } from './account.ts';
import { activitiesOf } from './activities.ts';
import {
  accountsOf,
  chosenAccount,
  type TradierAccount,
  type TradierOptions,
  tokenOf,
  tradierClient,
} from './client.ts';
import { failureOf } from './failure.ts';
import { clockOf, tradingDays } from './hours.ts';
import { assetView, barsOf, quoteRows, quoteView } from './market-data.ts';
import { tradierOrders } from './orders.ts';
import { tradierTraits } from './traits.ts';
import { setWatchlistOf, watchlistOf } from './watchlist.ts';

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
