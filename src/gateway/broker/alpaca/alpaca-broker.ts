import type { Alpaca } from '@alpacahq/alpaca-trade-api/rest';
import { defined } from '../../../values/defined.ts';
import type { AssetCatalogue } from '../asset-catalogue.ts';
import type { Broker, ConnectBroker } from '../broker.ts';
import { brokerRequests, type FailureOf } from '../broker-requests.ts';
import { ACTIVITY_PAGE, activityPage, tradingDays } from './activities.ts';
import { flowTypes } from './activity-types.ts';
import { alpacaAssets } from './assets.ts';
import { failureOf, replacementFailureOf, withCredentials } from './failure.ts';
import { alpacaNews } from './news.ts';
import { alpacaOrders } from './orders.ts';
import { alpacaPrices } from './prices.ts';
import { alpacaTradeUpdates } from './trade-updates.ts';
import { accountView, clockView, portfolioHistoryView, positionView } from './views.ts';
import { alpacaWatchlist } from './watchlist.ts';

export interface AlpacaBrokerOptions {
  readonly environment: 'paper' | 'live';
  /** Base URL of the Trading API. */
  readonly tradingUrl: string;
  /** Base URL of the Market Data API. */
  readonly dataUrl: string;
  readonly simulated: boolean;
  /** Whether the stream of order updates is listened to. */
  readonly tradeUpdates?: boolean;
  readonly fetch: typeof fetch;
  /** One request, milliseconds. */
  readonly timeoutMs: number;
  readonly assets: AssetCatalogue;
}

const cashflowTypes = flowTypes.join(',');
const DATA_HOST = 'data.alpaca.markets';
const TRADING_HOSTS = ['paper-api.alpaca.markets', 'api.alpaca.markets'];

/** Alpaca, or whatever speaks its API: driven by Alpaca's own SDK, which is loaded at the first request. */
export function connectAlpaca(options: AlpacaBrokerOptions): ConnectBroker {
  return (credentials, onUnauthorized, send = options.fetch) => {
    let client: Promise<Alpaca> | undefined;
    const alpaca = () => {
      client ??= import('@alpacahq/alpaca-trade-api/rest').then(
        ({ Alpaca }) =>
          new Alpaca({
            // Whichever it is, it is given: no APCA_API_… of the environment stands in for it.
            ...credentials,
            paper: options.environment === 'paper',
            timeoutMs: options.timeoutMs,
            // What may be repeated is decided by the callers, who know what each answer proves.
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

/**
 * The SDK knows only Alpaca's own hosts, so its requests are sent on to the configured ones.
 * @throws {TypeError} for a host it should never call: credentials must not go there
 */
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
