import type { Alpaca, trading } from '@alpacahq/alpaca-trade-api/rest';
import { type AssetClass, assetClassOf } from '../../../trading/asset-class.ts';
import { type Watchlist, watchlistSchema } from '../../../trading/market-news.ts';
import { defined } from '../../../values/defined.ts';
import type { AssetCatalogue } from '../asset-catalogue.ts';
import type { Asset, Broker, ConnectBroker } from '../broker.ts';
import { type BrokerRequests, brokerRequests, type FailureOf } from '../broker-requests.ts';
import { ACTIVITY_PAGE, activityPage, tradingDays } from './activities.ts';
import { flowTypes } from './activity-types.ts';
import { failureOf, replacementFailureOf, withCredentials } from './failure.ts';
import { alpacaNews, type Read } from './news.ts';
import { alpacaOrders } from './orders.ts';
import { alpacaPrices } from './prices.ts';
import { alpacaTradeUpdates } from './trade-updates.ts';
import {
  accountView,
  assetView,
  clockView,
  contractAssetView,
  contractView,
  portfolioHistoryView,
  positionView,
} from './views.ts';

interface AlpacaBrokerOptions {
  readonly environment: 'paper' | 'live';
  readonly tradingUrl: string;
  readonly dataUrl: string;
  readonly simulated: boolean;
  readonly tradeUpdates?: boolean;
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
  readonly assets: AssetCatalogue;
}

const cashflowTypes = flowTypes.join(',');
const DATA_HOST = 'data.alpaca.markets';
const TRADING_HOSTS = ['paper-api.alpaca.markets', 'api.alpaca.markets'];

/** Alpaca, or any server with its API, through Alpaca's own SDK, which is loaded at the first request. */
export function connectAlpaca(options: AlpacaBrokerOptions): ConnectBroker {
  return (credentials, onUnauthorized, send = options.fetch) => {
    let client: Promise<Alpaca> | undefined;
    const alpaca = () => {
      client ??= import('@alpacahq/alpaca-trade-api/rest').then(
        ({ Alpaca }) =>
          new Alpaca({
            // Always given, so the SDK does not fall back to APCA_API_… in the environment.
            ...credentials,
            paper: options.environment === 'paper',
            timeoutMs: options.timeoutMs,
            // Callers decide what may be repeated: only they know what each answer proves.
            retry: false,
            rateLimit: false,
            redirect: 'error',
            fetchApi: (url, init) => send(rewriteHost(url, options), init),
          }),
      );
      return client;
    };
    const told = { byKeyPair: !('accessToken' in credentials), onUnauthorized };
    return {
      ...alpacaBroker(alpaca, options, (tell) => withCredentials(tell, told)),
      ...(options.tradeUpdates ? { tradeUpdates: alpacaTradeUpdates(credentials, options) } : {}),
    };
  };
}

/** Redirects the SDK's requests to the configured hosts. @throws {TypeError} for a host that must not get credentials */
export function rewriteHost(url: string, target: { tradingUrl: string; dataUrl: string }): string {
  const { hostname, pathname, search } = new URL(url);
  const base =
    hostname === DATA_HOST
      ? target.dataUrl
      : TRADING_HOSTS.includes(hostname)
        ? target.tradingUrl
        : undefined;
  if (base === undefined) throw new TypeError('the SDK called an unexpected host');
  return `${base.replace(/\/+$/, '')}${pathname}${search}`;
}

function alpacaBroker(
  alpaca: () => Promise<Alpaca>,
  options: AlpacaBrokerOptions,
  telling: (tell: FailureOf) => FailureOf,
): Broker {
  const requests = brokerRequests(telling(failureOf));
  const read = <T>(call: (client: Alpaca) => Promise<T>) => requests.read(async () => call(await alpaca()));
  const assets = alpacaAssets(alpaca, requests, options.assets);

  return {
    ...assets,
    account: () => read(async ({ trading }) => accountView(await trading.account.getAccount(), options)),
    positions: () =>
      read(async ({ trading }) => (await trading.positions.getAllOpenPositions()).map(positionView)),
    ...alpacaPrices(read, assets.asset, options.simulated),
    clock: () => read(async ({ trading }) => clockView(await trading.clock.legacyClock())),
    calendar: ({ start, end }) =>
      read(async ({ trading }) =>
        tradingDays(
          await trading.calendar.legacyCalendar({ start: new Date(start), end: new Date(end) }),
          start,
          end,
        ),
      ),
    activities: ({ after, page, withoutFills }) =>
      read(async ({ trading }) =>
        activityPage(
          await trading.accountActivities.getAccountActivities({
            direction: 'desc',
            pageSize: ACTIVITY_PAGE,
            ...defined({ after, pageToken: page }),
            ...(withoutFills === true ? { category: 'non_trade_activity' } : {}),
          }),
        ),
      ),
    portfolioHistory: ({ period, timeframe }) =>
      read(async ({ trading }) =>
        portfolioHistoryView(
          await trading.portfolioHistory.getAccountPortfolioHistory(
            timeframe === undefined ? { period, cashflowTypes } : { period, timeframe, cashflowTypes },
          ),
        ),
      ),
    ...alpacaNews(read, options.simulated),
    ...alpacaWatchlist(read),
    ...alpacaOrders(alpaca, requests, telling(replacementFailureOf)),
  };
}

/** The list that Alpaca's own app creates for everybody. */
const PRIMARY = 'Primary Watchlist';

/** The list in `/v2/watchlists` that Alpaca's app shows first, else the oldest. Others are left alone. */
function alpacaWatchlist(read: Read): Pick<Broker, 'watchlist' | 'setWatchlist'> {
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

const named: readonly AssetClass[] = ['us_equity', 'crypto'];

/** Assets: `/v2/assets` for shares and pairs, `/v2/options/contracts` for options. */
function alpacaAssets(
  alpaca: () => Promise<Alpaca>,
  { read, find }: BrokerRequests,
  catalogue: AssetCatalogue,
): Required<Pick<Broker, 'asset' | 'assets' | 'optionContracts'>> {
  const load = (symbol: string): Promise<Asset | undefined> =>
    find(async () => {
      const { trading } = await alpaca();
      return assetClassOf(symbol) === 'us_option'
        ? contractAssetView(await trading.assets.getOptionContractSymbolOrId({ symbolOrId: symbol }))
        : assetView(await trading.assets.getV2AssetsSymbolOrAssetId({ symbolOrAssetId: symbol }));
    });
  return {
    asset: (symbol) => catalogue.find(symbol, () => load(symbol)),
    assets: () =>
      catalogue.all(() =>
        read(async () => {
          const { trading } = await alpaca();
          const listed = await Promise.all(
            named.map((assetClass) => trading.assets.getV2Assets({ status: 'active', assetClass })),
          );
          return listed
            .flat()
            .map(assetView)
            .filter(({ tradable }) => tradable);
        }),
      ),
    optionContracts: ({ underlying, expires, right, strike, limit }) =>
      read(async () => {
        const { trading } = await alpaca();
        const { optionContracts, nextPageToken } = await trading.assets.getOptionsContracts({
          underlyingSymbols: underlying,
          status: 'active',
          // Without an end date Alpaca stops at the next weekend.
          expirationDateGte: new Date(expires.from),
          expirationDateLte: new Date(expires.to),
          limit,
          ...defined({ type: right }),
          // The SDK takes a number and writes its shortest text into the query, which is the strike's own text.
          ...(strike?.from === undefined ? {} : { strikePriceGte: Number(strike.from) }),
          ...(strike?.to === undefined ? {} : { strikePriceLte: Number(strike.to) }),
        });
        const more = nextPageToken !== null && nextPageToken !== undefined && nextPageToken !== '';
        return { contracts: optionContracts.map(contractView), more };
      }),
  };
}
