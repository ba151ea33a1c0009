import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { symbolAssetClass } from '../../../trading/asset-class.ts';
import { Dec } from '../../../trading/decimal.ts';
import { addDays, newYorkDate, newYorkInstant } from '../../../trading/new-york-time.ts';
import type { Market, MarketQuote } from '../../market/market.ts';
import { hashText, uniformHash } from '../../market/price-path.ts';
import { actionJson, actionListName } from '../books/action-json.ts';
import { MarketDataError } from '../books/broker-error.ts';
import type { BrokerEnv } from './access.ts';
import { barPages, latestBars } from './bar-pages.ts';
import {
  cryptoQuoteJson,
  formatTimestamp,
  mapSymbols,
  paginate,
  parseQuery,
  parseSymbols,
  parseTime,
  requireSymbolParameter,
} from './data-query.ts';
import { optionDataRoutes } from './option-routes.ts';

export function marketDataRoutes(market: Market, stocks: Market, now: () => number): Hono<BrokerEnv> {
  const app = new Hono<BrokerEnv>();
  app.route('/', cryptoDataRoutes(market, now));
  app.route('/', optionDataRoutes(market, now));
  app.route('/', dataRoutes(stocks, now));
  app.route('/', newsRoutes(stocks, now));
  app.route('/', corporateActionRoutes(stocks, now));
  return app;
}

const feeds = ['iex', 'sip', 'otc', 'boats', 'delayed_sip', 'overnight'];

/** Market data routes. Prices are JSON numbers, as the API contract requires. */
function dataRoutes(market: Market, now: () => number): Hono<BrokerEnv> {
  const app = new Hono<BrokerEnv>();
  app.use('/v2/stocks/*', async (context, next) => {
    const { feed, currency } = context.req.query();
    if (feed && !feeds.includes(feed)) throw new MarketDataError(400, `invalid feed: ${feed}`);
    if (currency && currency !== 'USD') throw new MarketDataError(400, `invalid currency: ${currency}`);
    return next();
  });

  const ofOne = (context: Context<BrokerEnv>, what: string): MarketQuote => {
    const quote = market.quote(requireSymbolParameter(context.req.param('symbol') ?? ''));
    if (quote === undefined) throw new MarketDataError(404, `no ${what} found for ${context.req.param('symbol')}`);
    return quote;
  };
  const quote = (of: MarketQuote) => quoteJson(of, tape(market, of.symbol));
  const trade = (of: MarketQuote) => tradeJson(of, tape(market, of.symbol));
  const snapshot = (of: MarketQuote) => snapshotJson(market, of, now());

  app.get('/v2/stocks/quotes/latest', (context) => context.json({ quotes: mapSymbols(context, market, quote) }));
  app.get('/v2/stocks/trades/latest', (context) => context.json({ trades: mapSymbols(context, market, trade) }));
  app.get('/v2/stocks/snapshots', (context) => context.json(mapSymbols(context, market, snapshot)));
  app.get('/v2/stocks/bars', (context) => context.json(barPages(context, market, parseSymbols(context))));

  app.get('/v2/stocks/:symbol/quotes/latest', (context) => {
    const of = ofOne(context, 'quote');
    return context.json({ symbol: of.symbol, quote: quote(of) });
  });
  app.get('/v2/stocks/:symbol/trades/latest', (context) => {
    const of = ofOne(context, 'trade');
    return context.json({ symbol: of.symbol, trade: trade(of) });
  });
  app.get('/v2/stocks/:symbol/snapshot', (context) => {
    const of = ofOne(context, 'snapshot');
    return context.json({ symbol: of.symbol, ...snapshot(of) });
  });
  app.get('/v2/stocks/:symbol/bars', (context) => {
    const symbol = requireSymbolParameter(context.req.param('symbol'));
    const { bars, next_page_token } = barPages(context, market, [symbol]);
    return context.json({ symbol, bars: bars[symbol] ?? [], next_page_token });
  });

  return app;
}

function tape(market: Market, symbol: string): 'A' | 'B' | 'C' {
  const exchange = market.symbol(symbol)?.exchange;
  return exchange === 'NYSE' ? 'A' : exchange === 'NASDAQ' ? 'C' : 'B';
}

function quoteJson(quote: MarketQuote, z: string) {
  return { ...cryptoQuoteJson(quote), ax: 'V', bx: 'V', c: ['R'], z };
}

function tradeJson(quote: MarketQuote, z: string) {
  const { at, last } = quote;
  return { t: formatTimestamp(at), x: 'V', p: Number(last), s: 100, c: ['@'], i: Math.floor(at / 1000), z };
}

function snapshotJson(market: Market, quote: MarketQuote, now: number) {
  const z = tape(market, quote.symbol);
  const latest = { latestTrade: tradeJson(quote, z), latestQuote: quoteJson(quote, z) };
  return { ...latest, ...latestBars(market, quote.symbol, now) };
}

const places = ['us', 'us-1', 'us-2', 'eu-1', 'bs-1'];

function cryptoDataRoutes(market: Market, now: () => number): Hono<BrokerEnv> {
  const app = new Hono<BrokerEnv>();
  const base = '/v1beta3/crypto/:loc';
  app.use(`${base}/*`, async (context, next) => {
    if (!places.includes(context.req.param('loc'))) throw new MarketDataError(400, 'invalid location');
    const other = parseSymbols(context).find((symbol) => symbolAssetClass(symbol) !== 'crypto');
    if (other !== undefined)
      throw new MarketDataError(400, `invalid symbol: ${other} does not match the crypto pattern`);
    return next();
  });
  const snapshot = (of: MarketQuote) => ({
    latestTrade: coinTradeJson(of),
    latestQuote: cryptoQuoteJson(of),
    ...latestBars(market, of.symbol, now()),
  });
  const latestBar = (context: Context<BrokerEnv>) =>
    Object.fromEntries(
      parseSymbols(context).flatMap((symbol) => {
        const { minuteBar } = latestBars(market, symbol, now());
        return minuteBar === undefined ? [] : [[symbol, minuteBar]];
      }),
    );

  app.get(`${base}/latest/quotes`, (context) => context.json({ quotes: mapSymbols(context, market, cryptoQuoteJson) }));
  app.get(`${base}/latest/trades`, (context) => context.json({ trades: mapSymbols(context, market, coinTradeJson) }));
  app.get(`${base}/latest/bars`, (context) => context.json({ bars: latestBar(context) }));
  app.get(`${base}/snapshots`, (context) => context.json({ snapshots: mapSymbols(context, market, snapshot) }));
  app.get(`${base}/bars`, (context) => context.json(barPages(context, market, parseSymbols(context))));
  return app;
}

function coinTradeJson({ at, last }: MarketQuote) {
  return { t: formatTimestamp(at), p: Number(last), s: 0.1, i: Math.floor(at / 1000), tks: 'B' };
}

const newsQuery = z.object({
  start: z.string().optional(),
  end: z.string().optional(),
  sort: z.enum(['asc', 'desc']).default('desc'),
  limit: z.coerce.number().int().min(1).max(50).default(10),
  page_token: z.string().optional(),
});

function newsRoutes(market: Market, now: () => number): Hono<BrokerEnv> {
  const app = new Hono<BrokerEnv>();

  app.get('/v1beta1/news', (context) => {
    const { start, end, sort, limit, page_token } = parseQuery(newsQuery, context);
    const [from, to] = [parseTime(start, 'start') ?? 0, parseTime(end, 'end') ?? now()];
    const symbols = context.req.query('symbols') ? parseSymbols(context) : undefined;
    const notes = marketNews(market, symbols, now()).filter(({ at }) => at >= from && at <= to);
    if (sort === 'asc') notes.reverse();
    const page = paginate(notes, limit, page_token);
    return context.json({ news: page.rows.map(articleJson), next_page_token: page.next });
  });

  return app;
}

function articleJson({ id, symbol, at, headline, summary }: ReturnType<typeof marketNews>[number]) {
  const time = formatTimestamp(at);
  return {
    id,
    headline,
    summary,
    // Required by the contract.
    content: `<p>${summary}</p>`,
    author: 'The sandbox',
    source: 'simulated',
    created_at: time,
    updated_at: time,
    url: null,
    images: [],
    symbols: [symbol],
  };
}

const query = z.object({
  types: z.string().optional(),
  start: z.iso.date().optional(),
  end: z.iso.date().optional(),
  sort: z.enum(['asc', 'desc']).default('asc'),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
  page_token: z.string().optional(),
});

function corporateActionRoutes(market: Market, now: () => number): Hono<BrokerEnv> {
  const app = new Hono<BrokerEnv>();

  app.get('/v1/corporate-actions', (context) => {
    const { types, start, end, sort, limit, page_token } = parseQuery(query, context);
    const today = newYorkDate(now());
    const [from, to] = [start ?? today, end ?? today];
    if (to < from) throw new MarketDataError(400, 'end should not be before start');
    const [first = from, last = to] = [[from, addDays(today, -800)].sort().at(-1), [to, addDays(today, 400)].sort()[0]];
    const wanted = types?.split(',');
    const rows = market
      .corporateActions(parseSymbols(context), first, last)
      .filter(({ kind }) => wanted === undefined || wanted.includes(kind));
    if (sort === 'desc') rows.reverse();
    const page = paginate(rows, limit, page_token);
    const lists: Record<string, object[]> = {};
    for (const row of page.rows) {
      const list = actionListName(row);
      lists[list] = [...(lists[list] ?? []), actionJson(row)];
    }
    return context.json({ corporate_actions: lists, next_page_token: page.next });
  });

  return app;
}

const NEWS_DAYS = 30;
const DAYS_BETWEEN = 3;
/** If a request for news names no symbols, the news is about this many of the largest companies. */
const COVERED_COMPANIES = 25;
const MORNING = '08:00';
const WRITING_MS = 10 * 3_600_000;

/**
 * Returns made-up news, newest first. The news depends only on the seed and the prices, so it never changes. Each
 * article says that it is simulated.
 * @param symbols if undefined, the news is about the largest companies
 */
function marketNews(market: Market, symbols: readonly string[] | undefined, now: number) {
  const listed = market.symbols().map(({ symbol }) => symbol);
  const about = symbols ?? listed.slice(0, COVERED_COMPANIES);
  const today = newYorkDate(now);
  return about
    .flatMap((symbol) =>
      Array.from({ length: NEWS_DAYS }, (_, ago) => createArticle(market, symbol, addDays(today, -ago))),
    )
    .filter((one) => one !== undefined)
    .filter(({ at }) => at <= now)
    .sort((a, b) => b.at - a.at || a.id - b.id);
}

function createArticle(market: Market, symbol: string, date: string) {
  const listed = market.symbol(symbol);
  if (listed === undefined) return undefined;
  const id = hashText(`news\n${market.seed}\n${symbol}\n${date}`);
  if (uniformHash(id, 1, 0) * DAYS_BETWEEN >= 1) return undefined;
  const at = newYorkInstant(date, MORNING) + Math.floor(uniformHash(id, 2, 0) * WRITING_MS);
  const { name, sector } = listed;
  const subjects = [
    () => priceMoveHeadline(market, symbol, name, at),
    () => `${name} speaks at a simulated conference on ${sector.toLowerCase()}`,
    () => `A simulated analyst’s questions about ${name} (${symbol})`,
  ];
  const subject = subjects[Math.floor(uniformHash(id, 3, 0) * subjects.length)] ?? subjects[0];
  return {
    id,
    symbol,
    at,
    headline: `Simulated: ${subject?.() ?? name}`,
    summary: `The sandbox wrote this about ${name} as an example. None of it happened.`,
  };
}

function priceMoveHeadline(market: Market, symbol: string, name: string, at: number): string {
  const last = market.quote(symbol, at)?.last ?? '0';
  const before = market.previousClose(symbol, at) ?? last;
  const change = new Dec(last).div(before).minus(1).times(100);
  const way = change.lt(0) ? 'down' : 'up';
  return `${name} (${symbol}) at $${last}, ${way} ${change.abs().toFixed(1)} % on the day`;
}
