import type { Hono } from 'hono';
import { z } from 'zod';
import { searchAssets } from '../../trading/asset-name.ts';
import { positiveDecimalString } from '../../trading/decimal.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import { MAX_LISTED_CONTRACTS } from '../../trading/listed-contract.ts';
import { MAX_ARTICLES, MAX_CORPORATE_ACTIONS } from '../../trading/market-news.ts';
import { addDays, newYorkDate } from '../../trading/new-york-time.ts';
import { symbolSchema } from '../../trading/order.ts';
import { barAdjustments } from '../../trading/views.ts';
import { DAY_MS } from '../../values/durations.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import type { OpenAccountFor } from '../broker/accounts.ts';
import type { BarQuery, Broker } from '../broker/broker.ts';
import { accountParameter } from './for-owner.ts';
import { createGuardedRoutes, limitParameterSchema, parseQuery, symbolListSchema } from './request.ts';

/** Maximum number of symbols in a request. With more, the broker's URL would be too long and the response too slow. */
const MAX_SYMBOLS = 50;

const quotesQuery = z.strictObject({
  ...accountParameter,
  symbols: symbolListSchema(MAX_SYMBOLS),
  /** Whether to list symbols without a quote instead of refusing the request. */
  partial: z.literal('true').optional(),
});

const oneQuery = z.strictObject(accountParameter);

const MOST_FOUND = 20;

const assetsQuery = z.strictObject({
  ...accountParameter,
  search: z.string().trim().min(1).max(100),
  limit: limitParameterSchema(MOST_FOUND, 10),
});

const instant = z.union([z.iso.datetime({ offset: true }), z.iso.date()]).transform((text) => new Date(text));

const barsQuery = z.strictObject({
  ...accountParameter,
  symbol: symbolSchema,
  timeframe: z.enum(['1Day', '1Hour', '1Min']).default('1Day'),
  start: instant.optional(),
  end: instant.optional(),
  limit: limitParameterSchema(1000, 100),
  adjustment: z.enum(barAdjustments).default('split'),
});

const MAX_CALENDAR_DAYS = 400;

const MAX_ACTION_DAYS = 732;

const calendarQuery = z
  .strictObject({ ...accountParameter, start: z.iso.date(), end: z.iso.date() })
  // Written as a negation, because the range is not a number if a date is invalid, which another error reports.
  .refine((range) => !(daysIn(range) < 0), { message: 'must not be before start', path: ['end'] })
  .refine((range) => !(daysIn(range) > MAX_CALENDAR_DAYS), {
    message: `must be at most ${MAX_CALENDAR_DAYS} days after start`,
    path: ['end'],
  });

const newsQuery = z.strictObject({
  ...accountParameter,
  symbols: symbolListSchema(MAX_SYMBOLS).optional(),
  limit: limitParameterSchema(MAX_ARTICLES, 10),
});

const corporateActionsQuery = z
  .strictObject({
    ...accountParameter,
    symbols: symbolListSchema(MAX_SYMBOLS),
    start: z.iso.date(),
    end: z.iso.date(),
    limit: limitParameterSchema(MAX_CORPORATE_ACTIONS, 50),
  })
  .refine((range) => !(daysIn(range) < 0), { message: 'must not be before start', path: ['end'] })
  .refine((range) => !(daysIn(range) > MAX_ACTION_DAYS), {
    message: `must be at most ${MAX_ACTION_DAYS} days after start`,
    path: ['end'],
  });

const MAX_EXPIRY_DAYS = 1100;
/** Default maximum number of days until an option's expiration. */
const DEFAULT_EXPIRY_DAYS = 60;

const contractsQuery = z.strictObject({
  ...accountParameter,
  underlying: symbolSchema,
  expires_from: z.iso.date().optional(),
  expires_to: z.iso.date().optional(),
  right: z.enum(['call', 'put']).optional(),
  strike_from: positiveDecimalString.optional(),
  strike_to: positiveDecimalString.optional(),
  limit: limitParameterSchema(MAX_LISTED_CONTRACTS, 50),
});

/** Calendar time to read for each bar, in milliseconds, rounded up: a year has only 252 trading days of 6.5 hours. */
const MAX_MS_PER_BAR: Record<BarQuery['timeframe'], number> = {
  '1Day': DAY_MS * 1.5,
  '1Hour': DAY_MS / 4,
  '1Min': DAY_MS / 240,
};

export function addMarketRoutes(
  app: Hono,
  authenticator: Authenticator,
  brokerFor: OpenAccountFor,
  now: () => number,
): void {
  const at = createGuardedRoutes(app, authenticator);
  at.get('/v1/quotes', ['market:read'], async (c, caller) => {
    const { symbols, account, partial } = parseQuery(quotesQuery, c.req.url);
    const broker = await brokerFor(caller, account);
    if (partial !== undefined) return c.json(await readAvailableQuotes(broker, symbols));
    await requireKnownSymbols(broker, symbols);
    const quotes = await broker.quotes(symbols);
    const missing = symbols.filter((symbol) => !quotes.some((quote) => quote.symbol === symbol));
    if (missing.length > 0) {
      throw new HttpProblem(404, 'price_unavailable', `there is no price for ${missing.join(', ')} now`, {
        members: { symbols: missing },
      });
    }
    return c.json({ quotes });
  });
  at.get('/v1/bars', ['market:read'], async (c, caller) => {
    const { symbol, timeframe, limit, account, adjustment, ...range } = parseQuery(barsQuery, c.req.url);
    const end = range.end ?? new Date(now());
    const start = range.start ?? new Date(end.getTime() - limit * MAX_MS_PER_BAR[timeframe] - 7 * DAY_MS);
    const broker = await brokerFor(caller, account);
    await requireKnownSymbols(broker, [symbol]);
    const bars = await broker.bars({ symbol, timeframe, start, end, limit, adjustment });
    return c.json({ adjustment, bars });
  });
  at.get('/v1/assets', ['market:read'], async (c, caller) => {
    const { search, limit, account } = parseQuery(assetsQuery, c.req.url);
    const found = searchAssets(await (await brokerFor(caller, account)).assets(), search, limit);
    return c.json({ assets: found.map(({ symbol, name }) => ({ symbol, name })) });
  });
  at.get('/v1/assets/:symbol', ['market:read'], async (c, caller) => {
    const { account } = parseQuery(oneQuery, c.req.url);
    const symbol = symbolSchema.safeParse(c.req.param('symbol'));
    const asset = symbol.success ? await (await brokerFor(caller, account)).asset(symbol.data) : undefined;
    if (asset === undefined) throw unknownSymbol([symbol.data ?? 'of that name']);
    return c.json(asset);
  });
  at.get('/v1/option-contracts', ['market:read'], async (c, caller) => {
    const query = parseQuery(contractsQuery, c.req.url);
    const broker = await brokerFor(caller, query.account);
    if (broker.optionContracts === undefined) {
      throw new HttpProblem(404, 'not_found', 'this broker does not trade options');
    }
    await requireKnownSymbols(broker, [query.underlying]);
    const { underlying, right, strike_from, strike_to, limit } = query;
    const expires = expiresWithin(query, now());
    const strike = { from: strike_from, to: strike_to };
    return c.json(await broker.optionContracts({ underlying, expires, right, strike, limit }));
  });
  at.get('/v1/news', ['market:read'], async (c, caller) => {
    const { symbols = [], limit, account } = parseQuery(newsQuery, c.req.url);
    const broker = await brokerFor(caller, account);
    await requireKnownSymbols(broker, symbols);
    return c.json({ news: await broker.news({ symbols, limit }) });
  });
  at.get('/v1/corporate-actions', ['market:read'], async (c, caller) => {
    const { account, ...query } = parseQuery(corporateActionsQuery, c.req.url);
    const broker = await brokerFor(caller, account);
    await requireKnownSymbols(broker, query.symbols);
    return c.json(await broker.corporateActions(query));
  });
  at.get('/v1/calendar', ['market:read'], async (c, caller) => {
    const { account, ...days } = parseQuery(calendarQuery, c.req.url);
    return c.json({ days: await (await brokerFor(caller, account)).calendar(days) });
  });
  at.get('/v1/clock', ['market:read'], async (c, caller) =>
    c.json(await (await brokerFor(caller, parseQuery(oneQuery, c.req.url).account)).clock()),
  );
}

/** Returns the range of expiration dates. @throws {HttpProblem} 400 `invalid_query` */
function expiresWithin(
  { expires_from, expires_to }: z.output<typeof contractsQuery>,
  now: number,
): { from: string; to: string } {
  const from = expires_from ?? newYorkDate(now);
  const to = expires_to ?? addDays(from, DEFAULT_EXPIRY_DAYS);
  const days = daysIn({ start: from, end: to });
  if (days >= 0 && days <= MAX_EXPIRY_DAYS) return { from, to };
  throw new HttpProblem(400, 'invalid_query', 'invalid query parameters: expires_to', {
    fields: ['expires_to'],
    hint: `must not be before expires_from, nor more than ${MAX_EXPIRY_DAYS} days after`,
  });
}

function daysIn({ start, end }: { start: string; end: string }): number {
  return (Date.parse(end) - Date.parse(start)) / DAY_MS;
}

/** Returns the available quotes. Does not request unknown symbols, because the broker would reject the request. */
export async function readAvailableQuotes(broker: Pick<Broker, 'asset' | 'quotes'>, symbols: readonly string[]) {
  const assets = await Promise.all(symbols.map((symbol) => broker.asset(symbol)));
  const known = symbols.filter((_, index) => assets[index] !== undefined);
  const quotes = known.length === 0 ? [] : await broker.quotes(known);
  return { quotes, missing: symbols.filter((symbol) => !quotes.some((quote) => quote.symbol === symbol)) };
}

/** Rejects unknown symbols, for which a broker rejects the whole request. @throws {HttpProblem} 404 `unknown_symbol` */
export async function requireKnownSymbols(broker: Broker, symbols: readonly string[]): Promise<void> {
  const assets = await Promise.all(symbols.map((symbol) => broker.asset(symbol)));
  const unknown = symbols.filter((_, index) => assets[index] === undefined);
  if (unknown.length === 0) return;
  throw unknownSymbol(unknown);
}

function unknownSymbol(unknown: readonly string[]): HttpProblem {
  return new HttpProblem(404, 'unknown_symbol', `the broker does not know the symbols: ${unknown.join(', ')}`, {
    hint: 'Check the ticker symbol.',
    fields: ['symbols'],
    members: { symbols: unknown },
  });
}
