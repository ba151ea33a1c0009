import type { Alpaca, ApiError, trading } from '@alpacahq/alpaca-trade-api/rest';
import { type AssetClass, symbolAssetClass } from '../../../trading/asset-class.ts';
import { type Watchlist, watchlistSchema } from '../../../trading/market-news.ts';
import type { OrderDraft } from '../../../trading/order.ts';
import type { Order } from '../../../trading/views.ts';
import { defined } from '../../../values/defined.ts';
import type { AssetCatalog } from '../asset-catalog.ts';
import type { Asset, Broker, BrokerOrders, ConnectBroker, OrderReplacement, SubmissionResult } from '../broker.ts';
import { type BrokerFailure, NotSentError } from '../broker-failure.ts';
import { type BrokerRequests, type ClassifyError, createBrokerRequests } from '../broker-requests.ts';
import { classifyRestError } from '../rest-client.ts';
import { MAX_ACTIVITIES_PER_PAGE, toActivityPage, toTradingDays } from './activities.ts';
import { cashFlowTypes } from './activity-types.ts';
import { createAlpacaNewsMethods, type ReadFromAlpaca } from './news.ts';
import { createAlpacaPriceMethods } from './prices.ts';
import { createAlpacaTradeUpdateListener } from './trade-updates.ts';
import { alpacaOrderTypes } from './traits.ts';
import {
  toAccount,
  toAsset,
  toContractAsset,
  toListedContract,
  toMarketClock,
  toOrder,
  toPortfolioHistory,
  toPosition,
} from './views.ts';

interface AlpacaBrokerOptions {
  readonly environment: 'paper' | 'live';
  readonly tradingUrl: string;
  readonly dataUrl: string;
  readonly simulated: boolean;
  readonly tradeUpdates?: boolean;
  readonly fetch: typeof fetch;
  readonly timeoutMs: number;
  readonly assets: AssetCatalog;
}

const cashflowTypes = cashFlowTypes.join(',');
const DATA_HOST = 'data.alpaca.markets';
const TRADING_HOSTS = ['paper-api.alpaca.markets', 'api.alpaca.markets'];

/** Returns a function that loads the SDK and connects to an account at Alpaca, or at a server with Alpaca's API. */
export function createAlpacaConnector(options: AlpacaBrokerOptions): ConnectBroker {
  return (credentials, onUnauthorized, send = options.fetch) => {
    let client: Promise<Alpaca> | undefined;
    const alpaca = () => {
      client ??= import('@alpacahq/alpaca-trade-api/rest').then(
        ({ Alpaca }) =>
          new Alpaca({
            // With explicit credentials, the SDK does not fall back to APCA_API_… in the environment.
            ...credentials,
            paper: options.environment === 'paper',
            timeoutMs: options.timeoutMs,
            // The SDK must not retry, because only our callers know what each response proves, and whether a retry is
            // safe.
            retry: false,
            rateLimit: false,
            redirect: 'error',
            fetchApi: (url, init) => send(rewriteAlpacaHost(url, options), init),
          }),
      );
      return client;
    };
    const reporting = { byKeyPair: !('accessToken' in credentials), onUnauthorized };
    return {
      ...alpacaBroker(alpaca, options, (classify) => withCredentials(classify, reporting)),
      ...(options.tradeUpdates ? { tradeUpdates: createAlpacaTradeUpdateListener(credentials, options) } : {}),
    };
  };
}

/** Replaces the host of an SDK request's URL. @throws {TypeError} for a host that must not receive the credentials */
export function rewriteAlpacaHost(url: string, target: { tradingUrl: string; dataUrl: string }): string {
  const { hostname, pathname, search } = new URL(url);
  const base =
    hostname === DATA_HOST ? target.dataUrl : TRADING_HOSTS.includes(hostname) ? target.tradingUrl : undefined;
  if (base === undefined) throw new TypeError('the SDK called an unexpected host');
  return `${base.replace(/\/+$/, '')}${pathname}${search}`;
}

function alpacaBroker(
  alpaca: () => Promise<Alpaca>,
  options: AlpacaBrokerOptions,
  reportingUnauthorized: (classify: ClassifyError) => ClassifyError,
): Broker {
  const requests = createBrokerRequests(reportingUnauthorized(classifyAlpacaError));
  const read = <T>(call: (client: Alpaca) => Promise<T>) => requests.read(async () => call(await alpaca()));
  const assets = alpacaAssets(alpaca, requests, options.assets);

  return {
    ...assets,
    account: () => read(async ({ trading }) => toAccount(await trading.account.getAccount(), options)),
    positions: () => read(async ({ trading }) => (await trading.positions.getAllOpenPositions()).map(toPosition)),
    ...createAlpacaPriceMethods(read, assets.asset, options.simulated),
    clock: () => read(async ({ trading }) => toMarketClock(await trading.clock.legacyClock())),
    calendar: ({ start, end }) =>
      read(async ({ trading }) =>
        toTradingDays(
          await trading.calendar.legacyCalendar({ start: new Date(start), end: new Date(end) }),
          start,
          end,
        ),
      ),
    activities: ({ after, page, withoutFills }) =>
      read(async ({ trading }) =>
        toActivityPage(
          await trading.accountActivities.getAccountActivities({
            direction: 'desc',
            pageSize: MAX_ACTIVITIES_PER_PAGE,
            ...defined({ after, pageToken: page }),
            ...(withoutFills === true ? { category: 'non_trade_activity' } : {}),
          }),
        ),
      ),
    portfolioHistory: ({ period, timeframe }) =>
      read(async ({ trading }) =>
        toPortfolioHistory(
          await trading.portfolioHistory.getAccountPortfolioHistory(
            timeframe === undefined ? { period, cashflowTypes } : { period, timeframe, cashflowTypes },
          ),
        ),
      ),
    ...createAlpacaNewsMethods(read, options.simulated),
    ...alpacaWatchlist(read),
    ...alpacaOrders(alpaca, requests, reportingUnauthorized(classifyAlpacaReplaceError)),
  };
}

/** Name of the watchlist that Alpaca's own app creates for every user. */
const PRIMARY_WATCHLIST = 'Primary Watchlist';

/** Reads and changes the watchlist that Alpaca's app created or, if there is none, the oldest watchlist. */
function alpacaWatchlist(read: ReadFromAlpaca): Pick<Broker, 'watchlist' | 'setWatchlist'> {
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
        const list = { name: found?.name ?? PRIMARY_WATCHLIST, symbols: [...symbols] };
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

async function primary({ watchlists }: Alpaca['trading']): Promise<trading.WatchlistWithoutAsset | undefined> {
  const all = await watchlists.getWatchlists();
  const oldest = [...all].sort((a, b) => Number(a.createdAt) - Number(b.createdAt))[0];
  return all.find(({ name }) => name === PRIMARY_WATCHLIST) ?? oldest;
}

function watchlistView({ assets = [], updatedAt }: trading.Watchlist): Watchlist {
  return watchlistSchema.parse({
    symbols: assets.map(({ symbol }) => symbol),
    updated_at: new Date(updatedAt).toISOString(),
  });
}

const named: readonly AssetClass[] = ['us_equity', 'crypto'];

/** Reads shares and currency pairs from `/v2/assets`, and options from `/v2/options/contracts`. */
function alpacaAssets(
  alpaca: () => Promise<Alpaca>,
  { read, find }: BrokerRequests,
  catalogue: AssetCatalog,
): Required<Pick<Broker, 'asset' | 'assets' | 'optionContracts'>> {
  const load = (symbol: string): Promise<Asset | undefined> =>
    find(async () => {
      const { trading } = await alpaca();
      return symbolAssetClass(symbol) === 'us_option'
        ? toContractAsset(await trading.assets.getOptionContractSymbolOrId({ symbolOrId: symbol }))
        : toAsset(await trading.assets.getV2AssetsSymbolOrAssetId({ symbolOrAssetId: symbol }));
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
            .map(toAsset)
            .filter(({ tradable }) => tradable);
        }),
      ),
    optionContracts: ({ underlying, expires, right, strike, limit }) =>
      read(async () => {
        const { trading } = await alpaca();
        const { optionContracts, nextPageToken } = await trading.assets.getOptionsContracts({
          underlyingSymbols: underlying,
          status: 'active',
          // Without an end date, Alpaca returns no contracts that expire after the next weekend.
          expirationDateGte: new Date(expires.from),
          expirationDateLte: new Date(expires.to),
          limit,
          ...defined({ type: right }),
          // The SDK writes the shortest decimal form of the number into the URL, which equals the strike in the query.
          ...(strike?.from === undefined ? {} : { strikePriceGte: Number(strike.from) }),
          ...(strike?.to === undefined ? {} : { strikePriceLte: Number(strike.to) }),
        });
        const more = nextPageToken !== null && nextPageToken !== undefined && nextPageToken !== '';
        return { contracts: optionContracts.map(toListedContract), more };
      }),
  };
}

/** HTTP statuses that mean that Alpaca itself rejected the request. */
const REJECTION_STATUSES: readonly number[] = [400, 403, 404, 409, 422];

/**
 * Classifies an error of the SDK. Only a response with Alpaca's `{code, message}` and a status in
 * {@link REJECTION_STATUSES} proves that Alpaca refused the request.
 */
export function classifyAlpacaError(error: unknown): BrokerFailure {
  if (error instanceof NotSentError) return classifyRestError(error);
  if (!isApiError(error)) {
    if (isTimeout(error)) return { kind: 'timeout' };
    const lost = error instanceof Error && error.name === 'FetchError';
    return { kind: lost ? 'unreachable' : 'unreadable' };
  }
  const { status, code, message, retryAfterMs } = error;
  if (status === 401 || isCredentialsError(error)) return { kind: 'unauthorized' };
  if (status === 429) return { kind: 'rate_limited', retryAfterMs };
  if (code === undefined || !REJECTION_STATUSES.includes(status)) return { kind: 'failing', status };
  return {
    kind: 'refused',
    status,
    reason: rejectionReason(status, message),
    message,
    brokerCode: String(code),
  };
}

/**
 * Recognizes `not_replaceable` by the message, because errors of `PATCH /v2/orders/{id}` have no code for it. The
 * classification affects only the message that the person reads.
 */
export function classifyAlpacaReplaceError(error: unknown): BrokerFailure {
  const failure = classifyAlpacaError(error);
  return failure.kind === 'refused' &&
    failure.reason === 'other' &&
    /not found|\bstate\b|\bstatus\b|replace|not open|no longer/i.test(failure.message)
    ? { ...failure, reason: 'not_replaceable' }
    : failure;
}

function withCredentials(
  classify: ClassifyError,
  { byKeyPair, onUnauthorized }: { readonly byKeyPair: boolean; readonly onUnauthorized: () => void },
): ClassifyError {
  return (error) => {
    const failure = classify(error);
    if (failure.kind !== 'unauthorized') return failure;
    onUnauthorized();
    return byKeyPair ? { ...failure, credentials: 'key_pair' } : failure;
  };
}

/** Returns whether Alpaca rejected the credentials with 403. Unlike errors about orders, this error has no code. */
function isCredentialsError({ status, code, message }: ApiError): boolean {
  return status === 403 && code === undefined && message === 'forbidden.';
}

/**
 * Returns the reason for a rejection, from the message. The codes are too general: 40010001 stands for any malformed
 * request, 40310000 for any forbidden request.
 */
function rejectionReason(status: number, message: string): (BrokerFailure & { kind: 'refused' })['reason'] {
  if (status === 409 || /client[_ ]order[_ ]id/i.test(message)) return 'duplicate';
  if (status === 403 && /buying power|insufficient (balance|funds|cash)/i.test(message)) {
    return 'insufficient_funds';
  }
  return 'other';
}

/** Checks the error's fields instead of its class, because importing the class would load the SDK. */
function isApiError(error: unknown): error is ApiError {
  return error instanceof Error && 'status' in error && typeof error.status === 'number' && 'response' in error;
}

function isTimeout(error: unknown): boolean {
  const cause = error instanceof Error ? error.cause : undefined;
  return cause instanceof Error && (cause.name === 'TimeoutError' || cause.name === 'AbortError');
}

/** Matches IDs that Alpaca may have issued. For any other ID, Alpaca responds as if an order had the wrong state. */
const ORDER_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

function alpacaOrders(
  alpaca: () => Promise<Alpaca>,
  requests: BrokerRequests,
  replacementFailureOf: ClassifyError,
): BrokerOrders {
  const find = (call: (client: Alpaca) => Promise<trading.Order>) =>
    requests.find(async () => toOrder(await call(await alpaca())));
  return {
    orders: ({ status, limit, symbols, until }) =>
      requests.read(async () => {
        const { trading } = await alpaca();
        const query = { status, limit, direction: 'desc' } as const;
        const list = async (nested: boolean) =>
          trading.orders.getAllOrders({
            ...query,
            nested,
            ...(symbols.length === 0 ? {} : { symbols: symbols.join(',') }),
            // Adds 1 ms, because Alpaca excludes orders at the given time, and its times have nanoseconds.
            ...(until === undefined ? {} : { until: new Date(until.getTime() + 1).toISOString() }),
          });
        const flat = await list(false);
        if (flat.every(isOfOnePart)) return flat.map(toOrder);
        // Legs are nested under their entry order if the list contains that order. A filled entry order may be missing,
        // so legs that are only in the flat list are added.
        const rolledUp = await list(true);
        const known = new Set(rolledUp.flatMap(({ id, legs }) => [id, ...(legs ?? []).map((leg) => leg.id)]));
        return [...rolledUp, ...flat.filter(({ id }) => !known.has(id))].map(toOrder).sort(newestFirst);
      }),
    order: async (id) =>
      ORDER_ID.test(id)
        ? find(({ trading }) => trading.orders.getOrderByOrderID({ orderId: id, nested: true }))
        : undefined,
    orderByClientOrderId: (clientOrderId) =>
      find(async ({ trading }) => {
        const order = await trading.orders.getOrderByClientOrderId({ clientOrderId });
        // Alpaca leaves out an order's legs when the order is looked up by client_order_id.
        return isOfOnePart(order) || order.legs != null
          ? order
          : await trading.orders.getOrderByOrderID({ orderId: String(order.id), nested: true });
      }),
    submit: (order) =>
      requests.submit(order.client_order_id, async () => {
        const { trading } = await alpaca();
        return toOrder(await trading.orders.postOrder({ postOrderRequest: orderRequest(order) }));
      }),
    replace: async (orderId, replacement) => {
      if (!ORDER_ID.test(orderId)) return noSuchOrder;
      const patchOrderRequest = patchRequest(replacement);
      const replaced = async () => {
        const { trading } = await alpaca();
        return toOrder(await trading.orders.patchOrderByOrderId({ orderId, patchOrderRequest }));
      };
      return requests.submit(replacement.order.client_order_id, replaced, replacementFailureOf);
    },
    cancel: async (id) => {
      if (!ORDER_ID.test(id)) return 'not_found';
      return requests.cancel(async () => {
        const { trading } = await alpaca();
        await trading.orders.deleteOrderByOrderID({ orderId: id });
      });
    },
  };
}

function isOfOnePart({ orderClass }: trading.Order): boolean {
  return orderClass === undefined || ['', 'simple'].includes(orderClass);
}

function newestFirst(one: Order, two: Order): number {
  return one.submitted_at < two.submitted_at ? 1 : one.submitted_at > two.submitted_at ? -1 : 0;
}

const noSuchOrder: SubmissionResult = {
  outcome: 'refused',
  reason: 'not_replaceable',
  message: 'Alpaca has no such order',
  brokerCode: undefined,
};

function patchRequest({ order, changes }: OrderReplacement): trading.PatchOrderRequest {
  const { qty, trail, time_in_force } = changes;
  // Alpaca's API requires the order's prices in every change. Repeating a price changes nothing.
  const { client_order_id, limit_price, stop_price } = order;
  return {
    clientOrderId: client_order_id,
    ...defined({ qty, limitPrice: limit_price, stopPrice: stop_price, trail, timeInForce: time_in_force }),
  };
}

/** Builds the request without changing a digit of any amount. @throws {NotSentError} for an unsupported order type */
function orderRequest(draft: OrderDraft): trading.PostOrderRequest {
  const type = alpacaOrderTypes[draft.type];
  if (type === undefined) throw new NotSentError(`Alpaca does not support ${draft.type} orders`);
  return {
    symbol: draft.symbol,
    side: draft.side,
    type,
    timeInForce: draft.time_in_force,
    extendedHours: draft.extended_hours,
    clientOrderId: draft.client_order_id,
    ...defined({
      qty: draft.qty,
      notional: draft.notional,
      limitPrice: draft.limit_price,
      stopPrice: draft.stop_price,
      trailPrice: draft.trail_price,
      trailPercent: draft.trail_percent,
      positionIntent: draft.position_intent,
    }),
    ...(draft.order_class === undefined ? {} : { orderClass: draft.order_class, ...exits(draft) }),
  };
}

function exits(draft: OrderDraft): Pick<trading.PostOrderRequest, 'takeProfit' | 'stopLoss'> {
  const { take_profit_limit_price: profit, stop_loss_stop_price: stop, stop_loss_limit_price: limit } = draft;
  return {
    ...(profit === undefined ? {} : { takeProfit: { limitPrice: profit } }),
    ...(stop === undefined ? {} : { stopLoss: { stopPrice: stop, ...defined({ limitPrice: limit }) } }),
  };
}
