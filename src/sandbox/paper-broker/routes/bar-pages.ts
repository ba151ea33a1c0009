import type { Context } from 'hono';
import { z } from 'zod';
import { newYorkDate, newYorkInstant } from '../../../trading/new-york-time.ts';
import { parseAdjustment } from '../../market/adjustment.ts';
import { type MarketBar, parseTimeframe } from '../../market/bars.ts';
import type { Market } from '../../market/market.ts';
import { MarketDataError } from '../books/broker-error.ts';
import type { BrokerEnv } from './access.ts';
import { formatTimestamp, parseQuery, parseTime } from './data-query.ts';

const barsQuery = z.object({
  timeframe: z.string(),
  start: z.string().optional(),
  end: z.string().optional(),
  limit: z.coerce.number().int().min(1).max(10_000).default(1000),
  sort: z.enum(['asc', 'desc']).default('asc'),
  adjustment: z.string().default('raw'),
  page_token: z.string().optional(),
});

export function barPages(context: Context<BrokerEnv>, market: Market, symbols: readonly string[]) {
  const { adjustments, limit, from, ...wanted } = readQuery(context, market);
  const resumed = wanted.sort === 'asc' ? 'start' : 'end';
  const pages: Record<string, ReturnType<typeof barJson>[]> = {};
  let left = limit;
  for (const symbol of [...new Set(symbols)].sort()) {
    if (from !== undefined && symbol < from.symbol) continue;
    const resume = from?.symbol === symbol ? { [resumed]: from.at } : {};
    const found = market.bars(symbol, { ...wanted, ...resume, limit: left + 1 }, adjustments) ?? [];
    if (found.length === 0) continue;
    const next = found[left];
    if (next !== undefined) {
      if (left > 0) pages[symbol] = found.slice(0, left).map(barJson);
      return { bars: pages, next_page_token: pageToken(symbol, next.at) };
    }
    pages[symbol] = found.map(barJson);
    left -= found.length;
  }
  return { bars: pages, next_page_token: null };
}

function readQuery(context: Context<BrokerEnv>, market: Market) {
  const { limit, sort, ...query } = parseQuery(barsQuery, context);
  const timeframe = parseTimeframe(query.timeframe);
  if (timeframe === undefined) throw new MarketDataError(400, `invalid timeframe: ${query.timeframe}`);
  const adjustments = parseAdjustment(query.adjustment);
  if (adjustments === undefined) throw new MarketDataError(400, `invalid adjustment: ${query.adjustment}`);
  const start = parseTime(query.start, 'start') ?? newYorkInstant(newYorkDate(market.now()), '00:00');
  const end = parseTime(query.end, 'end') ?? market.now();
  if (end < start) throw new MarketDataError(400, 'end should not be before start');
  const from = query.page_token === undefined ? undefined : readPageToken(query.page_token);
  return { timeframe, adjustments, start, end, limit, sort, from };
}

function barJson(bar: MarketBar) {
  return {
    t: formatTimestamp(bar.at),
    o: Number(bar.open),
    h: Number(bar.high),
    l: Number(bar.low),
    c: Number(bar.close),
    v: bar.volume,
    n: bar.trades,
    vw: Number(bar.vwap),
  };
}

export function latestBars(market: Market, symbol: string, now: number) {
  const latest = (unit: 'day' | 'minute', limit: number, days: number) =>
    market.bars(symbol, {
      timeframe: { unit, count: 1 },
      start: now - days * 86_400_000,
      end: now,
      limit,
      sort: 'desc',
    }) ?? [];
  const [dailyBar, prevDailyBar] = latest('day', 2, 14);
  const [minuteBar] = latest('minute', 1, 7);
  return {
    ...(minuteBar && { minuteBar: barJson(minuteBar) }),
    ...(dailyBar && { dailyBar: barJson(dailyBar) }),
    ...(prevDailyBar && { prevDailyBar: barJson(prevDailyBar) }),
  };
}

const pageToken = (symbol: string, at: number) => Buffer.from(`${symbol}|${at}`).toString('base64url');

function readPageToken(token: string): { symbol: string; at: number } {
  const [symbol = '', at = ''] = Buffer.from(token, 'base64url').toString().split('|');
  if (!/^\d{1,15}$/.test(at)) throw new MarketDataError(400, 'invalid page_token');
  return { symbol, at: Number(at) };
}
