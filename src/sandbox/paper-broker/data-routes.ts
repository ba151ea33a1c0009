import { type Context, Hono } from 'hono';
import { z } from 'zod';
import { parseAdjustment } from '../market/adjustment.ts';
import { type MarketBar, parseTimeframe } from '../market/bars.ts';
import type { Market, MarketQuote } from '../market/market.ts';
import { newYorkDate, newYorkInstant } from '../market/new-york-time.ts';
import type { BrokerEnv } from './access.ts';

/** Market data refuses with a message alone, without the trading API's code. */
export class DataError extends Error {
  override name = 'DataError';
  readonly status: 400 | 404;
  constructor(status: DataError['status'], message: string) {
    super(message);
    this.status = status;
  }
}

const MOST_SYMBOLS = 500;
const feeds = ['iex', 'sip', 'otc', 'boats', 'delayed_sip', 'overnight'];

const barsQuery = z.object({
  timeframe: z.string(),
  start: z.string().optional(),
  end: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(10_000).default(1000),
  sort: z.enum(['asc', 'desc']).default('asc'),
  adjustment: z.string().default('raw'),
  page_token: z.string().optional(),
});

/** The part of Alpaca's Market Data API v2 that is simulated. Prices are JSON numbers, as the contract wants. */
export function dataRoutes(market: Market, now: () => number): Hono<BrokerEnv> {
  const app = new Hono<BrokerEnv>();
  app.use('/v2/stocks/*', async (context, next) => {
    const { feed, currency } = context.req.query();
    if (feed && !feeds.includes(feed)) throw new DataError(400, `invalid feed: ${feed}`);
    if (currency && currency !== 'USD') throw new DataError(400, `invalid currency: ${currency}`);
    return next();
  });

  /** Of each known symbol; unknown ones are left out, as at Alpaca. */
  const ofEach = <T>(context: Context<BrokerEnv>, one: (quote: MarketQuote) => T): Record<string, T> =>
    Object.fromEntries(
      symbolsOf(context).flatMap((symbol) => {
        const quote = market.quote(symbol);
        return quote === undefined ? [] : [[symbol, one(quote)]];
      }),
    );
  const ofOne = (context: Context<BrokerEnv>, what: string): MarketQuote => {
    const quote = market.quote(checkedSymbol(context.req.param('symbol') ?? ''));
    if (quote === undefined) throw new DataError(404, `no ${what} found for ${context.req.param('symbol')}`);
    return quote;
  };
  const quote = (of: MarketQuote) => quoteJson(of, tape(market, of.symbol));
  const trade = (of: MarketQuote) => tradeJson(of, tape(market, of.symbol));
  const snapshot = (of: MarketQuote) => snapshotJson(market, of, now());

  app.get('/v2/stocks/quotes/latest', (context) => context.json({ quotes: ofEach(context, quote) }));
  app.get('/v2/stocks/trades/latest', (context) => context.json({ trades: ofEach(context, trade) }));
  app.get('/v2/stocks/snapshots', (context) => context.json(ofEach(context, snapshot)));
  app.get('/v2/stocks/bars', (context) => context.json(barPages(context, symbolsOf(context))));

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
    const symbol = checkedSymbol(context.req.param('symbol'));
    const { bars, next_page_token } = barPages(context, [symbol]);
    return context.json({ symbol, bars: bars[symbol] ?? [], next_page_token });
  });

  /** One page of bars, all of the first symbol before any of the second. */
  const barPages = (context: Context<BrokerEnv>, symbols: readonly string[]) => {
    const read = barsQuery.safeParse(context.req.query());
    if (!read.success) throw new DataError(400, `invalid ${String(read.error.issues[0]?.path[0])}`);
    const { limit, sort } = read.data;
    const timeframe = parseTimeframe(read.data.timeframe);
    if (timeframe === undefined) throw new DataError(400, `invalid timeframe: ${read.data.timeframe}`);
    const adjustments = parseAdjustment(read.data.adjustment);
    if (adjustments === undefined) throw new DataError(400, `invalid adjustment: ${read.data.adjustment}`);
    const start = timeOf(read.data.start, 'start') ?? newYorkInstant(newYorkDate(now()), '00:00');
    const end = timeOf(read.data.end, 'end') ?? now();
    if (end < start) throw new DataError(400, 'end should not be before start');
    const from = read.data.page_token === undefined ? undefined : readPageToken(read.data.page_token);

    const pages: Record<string, ReturnType<typeof barJson>[]> = {};
    let left = limit;
    for (const symbol of [...new Set(symbols)].sort()) {
      if (from !== undefined && symbol < from.symbol) continue;
      const resume = from?.symbol === symbol ? from.at : undefined;
      const asked = {
        timeframe,
        start: sort === 'asc' && resume !== undefined ? resume : start,
        end: sort === 'desc' && resume !== undefined ? resume : end,
        limit: left + 1,
        sort,
      };
      const found = market.bars(symbol, asked, adjustments);
      if (found === undefined || found.length === 0) continue;
      const next = found[left];
      if (next !== undefined) {
        if (left > 0) pages[symbol] = found.slice(0, left).map(barJson);
        return { bars: pages, next_page_token: pageToken(symbol, next.at) };
      }
      pages[symbol] = found.map(barJson);
      left -= found.length;
    }
    return { bars: pages, next_page_token: null };
  };

  return app;
}

export function symbolsOf(context: Context<BrokerEnv>): string[] {
  const symbols = (context.req.query('symbols') ?? '').split(',').filter((symbol) => symbol !== '');
  if (symbols.length === 0) throw new DataError(400, 'symbols is required');
  if (symbols.length > MOST_SYMBOLS) throw new DataError(400, `at most ${MOST_SYMBOLS} symbols`);
  return symbols.map(checkedSymbol);
}

export function checkedSymbol(symbol: string): string {
  if (!/^[A-Za-z0-9./]{1,16}$/.test(symbol)) throw new DataError(400, `invalid symbol: ${symbol}`);
  return symbol.toUpperCase();
}

const time = (at: number) => new Date(at).toISOString();

/** The consolidated tape that reports a listing. */
function tape(market: Market, symbol: string): 'A' | 'B' | 'C' {
  const exchange = market.symbol(symbol)?.exchange;
  return exchange === 'NYSE' ? 'A' : exchange === 'NASDAQ' ? 'C' : 'B';
}

function quoteJson(quote: MarketQuote, z: string) {
  return {
    t: time(quote.at),
    ax: 'V',
    ap: Number(quote.ask),
    as: quote.askSize,
    bx: 'V',
    bp: Number(quote.bid),
    bs: quote.bidSize,
    c: ['R'],
    z,
  };
}

function tradeJson(quote: MarketQuote, z: string) {
  return {
    t: time(quote.at),
    x: 'V',
    p: Number(quote.last),
    s: 100,
    c: ['@'],
    i: Math.floor(quote.at / 1000),
    z,
  };
}

function barJson(bar: MarketBar) {
  return {
    t: time(bar.at),
    o: Number(bar.open),
    h: Number(bar.high),
    l: Number(bar.low),
    c: Number(bar.close),
    v: bar.volume,
    n: bar.trades,
    vw: Number(bar.vwap),
  };
}

function snapshotJson(market: Market, quote: MarketQuote, now: number) {
  const latest = (unit: 'day' | 'minute', limit: number, days: number) =>
    market.bars(quote.symbol, {
      timeframe: { unit, count: 1 },
      start: now - days * 86_400_000,
      end: now,
      limit,
      sort: 'desc',
    }) ?? [];
  const [dailyBar, prevDailyBar] = latest('day', 2, 14);
  const [minuteBar] = latest('minute', 1, 7);
  const z = tape(market, quote.symbol);
  return {
    latestTrade: tradeJson(quote, z),
    latestQuote: quoteJson(quote, z),
    ...(minuteBar && { minuteBar: barJson(minuteBar) }),
    ...(dailyBar && { dailyBar: barJson(dailyBar) }),
    ...(prevDailyBar && { prevDailyBar: barJson(prevDailyBar) }),
  };
}

const pageToken = (symbol: string, at: number) => Buffer.from(`${symbol}|${at}`).toString('base64url');

function readPageToken(token: string): { symbol: string; at: number } {
  const [symbol = '', at = ''] = Buffer.from(token, 'base64url').toString().split('|');
  if (!/^\d{1,15}$/.test(at)) throw new DataError(400, 'invalid page_token');
  return { symbol, at: Number(at) };
}

/** RFC 3339, or a date: midnight in New York. */
export function timeOf(text: string | undefined, name: string): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return newYorkInstant(text, '00:00');
  const at = Date.parse(text);
  if (Number.isNaN(at)) throw new DataError(400, `invalid ${name}`);
  return at;
}
