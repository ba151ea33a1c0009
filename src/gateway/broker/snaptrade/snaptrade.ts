import { z } from 'zod';
import { TradeAgentError } from '../../../errors/errors.ts';
import { type Activity, activitySchema } from '../../../trading/activity.ts';
import { Dec, formatPrice } from '../../../trading/decimal.ts';
import { newYorkDate, newYorkInstant } from '../../../trading/new-york-time.ts';
import { type Asset, assetSchema, type Order, type Quote, quoteSchema } from '../../../trading/views.ts';
import { secureUrlSchema } from '../../settings/common-settings.ts';
import { toActivityAmounts, toFillActivity } from '../activity-parts.ts';
import type { AssetCatalog } from '../asset-catalog.ts';
import type { ActivityPage, ActivityQuery, Broker, ConnectBroker } from '../broker.ts';
import type { BrokerFailure } from '../broker-failure.ts';
import { type BrokerKind, commonBrokerSettingsSchema } from '../broker-kind.ts';
import { createBrokerRequests } from '../broker-requests.ts';
import { computeExchangeCalendar, computeExchangeClock } from '../exchange-hours.ts';
import { classifyRestError, FailedResponseError } from '../rest-client.ts';
import type { CredentialKind } from '../stored-kinds.ts';
import { createUnsupportedMethods } from '../unsupported-features.ts';
import {
  accountNotVerifiedError,
  brokerUnreachableError,
  type VerifiedAccount,
  type VerifyCredentialsOptions,
  wrongCredentialsError,
} from '../verify-problems.ts';
import {
  readSnaptradeAccount,
  readSnaptradeAccountDetails,
  readSnaptradePortfolioHistory,
  readSnaptradePositions,
} from './account.ts';
import {
  createSnaptradeClient,
  type SnaptradeClient,
  type SnaptradeCredentials,
  type SnaptradeOptions,
  type SnaptradeUser,
  toSnaptradeUser,
} from './client.ts';
import { createSnaptradeOrderMethods, listSnaptradeOrders } from './orders.ts';
import { fromYahooSymbol, toYahooSymbol, universalSymbolSchema } from './symbols.ts';
import { snaptradeTraits, unsupportedSnaptradeFeatures } from './traits.ts';

const snaptradeSettings = commonBrokerSettingsSchema.extend({
  kind: z.literal('snaptrade'),
  // Token exchange is not possible, because requests are signed with the client's key, and users have no tokens.
  credentials: z.enum(['snaptrade_user', 'snaptrade_personal']),
  unattended: z.undefined().optional(),
  url: secureUrlSchema.default('https://api.snaptrade.com'),
});
type SnaptradeSettings = z.output<typeof snaptradeSettings>;

export const snaptradeBrokerKind = {
  traits: snaptradeTraits,
  settings: snaptradeSettings,
  address: 'url',
  connect: ({ url, simulated }, context) => createSnaptradeConnector({ ...context, url, simulated }),
  storedCredentials: { kinds: ['snaptrade_user', 'snaptrade_personal'], verify: verifySnaptradeUser },
} satisfies BrokerKind<SnaptradeSettings>;

/** Verifies the user with `GET /accounts/{accountId}` and the account's connection, which reports the environment. */
async function verifySnaptradeUser(
  { url }: SnaptradeSettings,
  credentials: SnaptradeCredentials,
  { fetch, timeoutMs }: Required<VerifyCredentialsOptions>,
): Promise<VerifiedAccount> {
  const { host } = new URL(url);
  try {
    const client = await createSnaptradeClient({ url, fetch, timeoutMs }, credentials);
    const { number, environment, status, blocked } = await readSnaptradeAccountDetails(
      client,
      toSnaptradeUser(credentials),
    );
    return { accountNumber: number, environment, status, tradingBlocked: blocked };
  } catch (error) {
    if (error instanceof FailedResponseError && error.status === 401) {
      throw wrongCredentialsError(
        snaptradeTraits.label,
        'client, key or user',
        'Copy the client ID, consumer key, user ID and user secret from SnapTrade again.',
      );
    }
    if (error instanceof FailedResponseError && error.status === 404) {
      throw accountNotVerifiedError(host, 'has no such account for this user');
    }
    if (error instanceof TradeAgentError) throw error;
    const { kind } = classifyRestError(error);
    throw kind === 'unreadable'
      ? accountNotVerifiedError(host, 'did not return an account', 'broker.url')
      : brokerUnreachableError(host, kind);
  }
}

function createSnaptradeConnector(options: SnaptradeOptions & { readonly assets: AssetCatalog }): ConnectBroker {
  return (credentials, onUnauthorized, send = options.fetch): Broker => {
    if (!('consumerKey' in credentials)) throw new TypeError('these credentials are for a different broker');
    let connected: Promise<SnaptradeClient> | undefined;
    const client = () => {
      connected ??= createSnaptradeClient({ ...options, fetch: send }, credentials);
      return connected;
    };
    const who = toSnaptradeUser(credentials);
    const kept = 'userId' in credentials ? 'snaptrade_user' : 'snaptrade_personal';
    const requests = createBrokerRequests((error) => {
      const failure = classifySnaptradeError(error, kept);
      if (failure.kind === 'unauthorized') onUnauthorized();
      return failure;
    });
    const read = <T>(call: (client: SnaptradeClient) => Promise<T>) => requests.read(async () => call(await client()));
    return {
      ...createUnsupportedMethods(snaptradeTraits.label, unsupportedSnaptradeFeatures),
      ...createSnaptradeOrderMethods(client, who, options, requests),
      account: () => read((one) => readSnaptradeAccount(one, who, options)),
      positions: () => read((one) => readSnaptradePositions(one, who)),
      asset: (symbol) =>
        options.assets.find(symbol, () => requests.find(async () => readAsset(await client(), symbol))),
      quotes: (symbols) => read((one) => readQuotes(one, who, symbols, options)),
      clock: async () => computeExchangeClock(options.now()),
      calendar: async (query) => computeExchangeCalendar(query),
      activities: (query) => read((one) => readActivities(one, who, query, options.now())),
      portfolioHistory: (query) => read((one) => readSnaptradePortfolioHistory(one, who, query, options.now())),
    };
  };
}

const words = z.object({
  detail: z.string(),
  code: z.union([z.string(), z.number()]).optional(),
  status_code: z.number().optional(),
});

const OWN_WORD: readonly number[] = [400, 403, 404, 409, 422];

/** Classifies an error. Only `detail` and a status in {@link OWN_WORD} prove that SnapTrade rejected the request. */
function classifySnaptradeError(error: unknown, kept: CredentialKind): BrokerFailure {
  if (!(error instanceof FailedResponseError)) return classifyRestError(error);
  const { status, headers, json } = error;
  if (status === 401) return { kind: 'unauthorized', credentials: kept };
  if (status === 429) return { kind: 'rate_limited', retryAfterMs: msUntilReset(headers) };
  const said = words.safeParse(json);
  if (!OWN_WORD.includes(status) || !said.success) return { kind: 'failing', status };
  const { detail, code } = said.data;
  const isFunds = /insufficient|buying power|not enough (cash|funds)/i.test(detail);
  return {
    kind: 'refused',
    status,
    reason: isFunds ? 'insufficient_funds' : 'other',
    message: detail,
    brokerCode: code === undefined ? undefined : String(code),
  };
}

/** Reads `X-RateLimit-Reset` ("Rate Limiting"), the number of seconds until the minute ends. */
function msUntilReset(headers: Headers): number | undefined {
  const seconds = Number(headers.get('x-ratelimit-reset') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : undefined;
}

/** Maximum number of quotes in a response ("A maximum of 10 quotes"). */
const MAX_QUOTES = 10;

const quotesAnswer = z.array(
  z.object({
    symbol: universalSymbolSchema.optional(),
    last_trade_price: z.number().nullish(),
    bid_price: z.number().nullish(),
    ask_price: z.number().nullish(),
  }),
);

const tick = (value: number | null | undefined) => formatPrice(String(value ?? 0));

/** Reads quotes, which are delayed by an unknown time. `previous_close` is 0, because SnapTrade does not report it. */
async function readQuotes(
  client: SnaptradeClient,
  who: SnaptradeUser,
  symbols: readonly string[],
  { simulated, now }: { readonly simulated: boolean; readonly now: () => number },
): Promise<Quote[]> {
  const quotes: Quote[] = [];
  for (let from = 0; from < symbols.length; from += MAX_QUOTES) {
    const asked = symbols.slice(from, from + MAX_QUOTES);
    const at = new Date(now()).toISOString();
    const { data } = await client.trading.getUserAccountQuotes({
      ...who,
      symbols: asked.map(toYahooSymbol).join(','),
      useTicker: true,
    });
    const rows = quotesAnswer.parse(data);
    for (const symbol of asked) {
      const row = rows.find((one) => one.symbol !== undefined && fromYahooSymbol(one.symbol.symbol) === symbol);
      const last = row?.last_trade_price;
      if (row === undefined || last == null || last <= 0) continue;
      quotes.push(
        quoteSchema.parse({
          symbol,
          name: row.symbol?.description ?? null,
          bid: tick(row.bid_price),
          ask: tick(row.ask_price),
          last: tick(last),
          previous_close: '0',
          at,
          simulated,
        }),
      );
    }
  }
  return quotes;
}

/** Reads `GET /symbols/{query}`. `fractionable` is false, because not every brokerage supports fractional orders. */
async function readAsset(client: SnaptradeClient, symbol: string): Promise<Asset> {
  const { data } = await client.referenceData.getSymbolsByTicker({ query: toYahooSymbol(symbol) });
  const found = universalSymbolSchema.parse(data);
  return assetSchema.parse({
    symbol: fromYahooSymbol(found.symbol),
    name: found.description ?? symbol,
    exchange: found.exchange?.code ?? '',
    tradable: found.currency?.code === 'USD' && found.type?.is_supported !== false,
    fractionable: false,
    shortable: false,
  });
}

const PAGE = 100;

/** Maps SnapTrade's activity types to our kinds. Other types are `unknown`; figures that they may affect are marked. */
const kinds: Readonly<Record<string, Activity['kind']>> = {
  BUY: 'fill',
  SELL: 'fill',
  REI: 'fill',
  CONTRIBUTION: 'deposit',
  WITHDRAWAL: 'withdrawal',
  DIVIDEND: 'dividend',
  SUBSTITUTE_DIVIDEND: 'dividend',
  INTEREST: 'interest',
  FEE: 'fee',
  TAX: 'fee',
  TRANSFER: 'transfer',
  EXTERNAL_ASSET_TRANSFER_IN: 'transfer',
  EXTERNAL_ASSET_TRANSFER_OUT: 'transfer',
  SPLIT: 'other',
  STOCK_DIVIDEND: 'other',
  OPTIONEXPIRATION: 'other',
  OPTIONASSIGNMENT: 'other',
  OPTIONEXERCISE: 'other',
};

const types: Readonly<Record<string, string>> = {
  OPTIONEXPIRATION: 'OPEXP',
  OPTIONASSIGNMENT: 'OPASN',
  OPTIONEXERCISE: 'OPEXC',
};

function getKind(type: string, isFill: boolean, moves: boolean, amount: number): Activity['kind'] {
  const known = kinds[type] ?? 'unknown';
  if (known === 'fill') return isFill ? 'fill' : 'unknown';
  // A transfer without shares moved cash in or out.
  if (known === 'transfer' && !moves) return amount < 0 ? 'withdrawal' : 'deposit';
  return known;
}

const row = z.object({
  id: z.string(),
  type: z.string(),
  symbol: z.object({ symbol: z.string() }).nullish(),
  option_symbol: z.object({ ticker: z.string() }).nullish(),
  price: z.number().nullish(),
  units: z.number().nullish(),
  amount: z.number().nullish(),
  trade_date: z.string().nullish(),
  settlement_date: z.string().nullish(),
  external_reference_id: z.string().nullish(),
});
const pageAnswer = z.object({ data: z.array(row) });

/** Reads `GET /accounts/{accountId}/activities`, whose data is a day late. Adds today's fills from the order list. */
async function readActivities(
  client: SnaptradeClient,
  who: SnaptradeUser,
  { after, page = '0' }: ActivityQuery,
  now: number,
): Promise<ActivityPage> {
  const offset = /^\d{1,7}$/.test(page) ? Number(page) : 0;
  const today = newYorkDate(now);
  const answer = await client.accountInformation.getAccountActivities({
    ...who,
    offset,
    limit: PAGE,
    ...(after === undefined ? {} : { startDate: newYorkDate(after.getTime()) }),
  });
  const { data } = pageAnswer.parse(answer.data);
  const views = data.map(activityView).filter(({ at }) => newYorkDate(Date.parse(at)) < today);
  const fills =
    offset > 0 ? [] : (await listSnaptradeOrders(client, who, 'all')).flatMap((order) => fillToday(order, today));
  return {
    activities: [...fills, ...views]
      .filter(({ at }) => after === undefined || Date.parse(at) > after.getTime())
      .sort((a, b) => Date.parse(b.at) - Date.parse(a.at)),
    next_page: data.length === PAGE ? `${offset + PAGE}` : null,
  };
}

function fillToday(order: Order, today: string): Activity[] {
  const { filled_at, filled_avg_price, filled_qty, side } = order;
  if (filled_at === null || filled_avg_price === null || filled_qty === '0') return [];
  return newYorkDate(Date.parse(filled_at)) === today ? [toFillActivity(order, side.toUpperCase(), filled_at)] : [];
}

function activityView(one: z.output<typeof row>): Activity {
  const { type, price, units, amount } = one;
  const shares = units == null || units === 0 ? undefined : new Dec(String(units));
  const fill =
    kinds[type] === 'fill' && shares !== undefined && price != null
      ? { price, sells: type === 'SELL' || shares.isNegative() }
      : undefined;
  const symbol = one.option_symbol?.ticker.replaceAll(' ', '') ?? one.symbol?.symbol;
  return activitySchema.parse({
    id: one.id,
    kind: getKind(type, fill !== undefined, shares !== undefined, amount ?? 0),
    type: types[type] ?? type,
    at: new Date(activityTime(one)).toISOString(),
    symbol: symbol === undefined ? null : fromYahooSymbol(symbol),
    group: one.external_reference_id ?? null,
    ...toActivityAmounts(shares, fill, amount),
  });
}

function activityTime({ trade_date, settlement_date }: z.output<typeof row>): string | number {
  const date = trade_date ?? settlement_date ?? '';
  return trade_date != null && /T(?!00:00:00)/.test(date) ? date : newYorkInstant(date.slice(0, 10), '00:00');
}
