import type { AssetCatalogue } from '../asset-catalogue.ts';
import type { Broker, ConnectBroker } from '../broker.ts';
import { brokerRequests } from '../broker-requests.ts';
import { exchangeCalendar, exchangeClock } from '../exchange-hours.ts';
import { notOffered } from '../not-offered.ts';
import { accountOf, portfolioHistoryOf, positionsOf } from './account.ts';
import { activitiesOf } from './activities.ts';
import { type Client, type SnaptradeOptions, snaptradeClient, whoOf } from './client.ts';
import { failureOf } from './failure.ts';
import { assetOf, quotesOf } from './market-data.ts';
import { snaptradeOrders } from './orders.ts';
import { snaptradeLacks, snaptradeTraits } from './traits.ts';

export function connectSnaptrade(
  options: SnaptradeOptions & { readonly assets: AssetCatalogue },
): ConnectBroker {
  return (credentials, onUnauthorized, send = options.fetch): Broker => {
    if (!('consumerKey' in credentials)) throw new TypeError('these credentials are of another broker');
    let connected: Promise<Client> | undefined;
    const client = () => {
      connected ??= snaptradeClient({ ...options, fetch: send }, credentials);
      return connected;
    };
    const who = whoOf(credentials);
    const kept = 'userId' in credentials ? 'snaptrade_user' : 'snaptrade_personal';
    const requests = brokerRequests((error) => {
      const failure = failureOf(error, kept);
      if (failure.kind === 'unauthorized') onUnauthorized();
      return failure;
    });
    const read = <T>(call: (client: Client) => Promise<T>) => requests.read(async () => call(await client()));
    return {
      ...notOffered(snaptradeTraits.label, snaptradeLacks),
      ...snaptradeOrders(client, who, options, requests),
      account: () => read((one) => accountOf(one, who, options)),
      positions: () => read((one) => positionsOf(one, who)),
      asset: (symbol) =>
        options.assets.find(symbol, () => requests.find(async () => assetOf(await client(), symbol))),
      quotes: (symbols) => read((one) => quotesOf(one, who, symbols, options)),
      clock: async () => exchangeClock(options.now()),
      calendar: async (query) => exchangeCalendar(query),
      activities: (query) => read((one) => activitiesOf(one, who, query, options.now())),
      portfolioHistory: (query) => read((one) => portfolioHistoryOf(one, who, query, options.now())),
    };
  };
}
