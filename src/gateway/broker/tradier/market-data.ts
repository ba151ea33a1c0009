import { z } from 'zod';
import { Dec, formatPrice as priceText } from '../../../trading/decimal.ts';
import { newYorkDate, newYorkInstant, newYorkTimestamp } from '../../../trading/new-york-time.ts';
import { type Asset, assetSchema, type Bar, barSchema, type Quote, quoteSchema } from '../../../trading/views.ts';
import { DAY_MS } from '../../../values/durations.ts';
import type { BarQuery } from '../broker.ts';
import { formatAmount } from '../json-amounts.ts';
import type { RestClient } from '../rest-client.ts';
import { requireSplitAdjustment } from '../unsupported-features.ts';
import { oneOrMoreSchema, wrappedListSchema } from './client.ts';
import { exchangeName, fromTradierSymbol, toTradierSymbol } from './symbols.ts';
import { tradierTraits } from './traits.ts';

const quoteRow = z.object({
  symbol: z.string(),
  description: z.string(),
  exch: z.string(),
  type: z.string(),
  last: z.number().nullable(),
  bid: z.number().nullable(),
  ask: z.number().nullable(),
  prevclose: z.number().nullable(),
  /** Milliseconds since the epoch. */
  trade_date: z.number(),
  bid_date: z.number(),
  ask_date: z.number(),
});
export type QuoteRow = z.output<typeof quoteRow>;

const quotesAnswer = z.object({
  quotes: z.union([z.object({ quote: oneOrMoreSchema(quoteRow).optional() }), z.literal('null'), z.null()]),
});

/** Reads `GET /markets/quotes`. The map has no entry for an unknown symbol. */
export async function readQuoteRows(client: RestClient, symbols: readonly string[]): Promise<Map<string, QuoteRow>> {
  if (symbols.length === 0) return new Map();
  const query = { symbols: symbols.map(toTradierSymbol).join(','), greeks: 'false' };
  const { quotes } = quotesAnswer.parse(await client('/markets/quotes', { query }));
  const rows = quotes === null || quotes === 'null' ? [] : (quotes.quote ?? []);
  return new Map(rows.map((row) => [fromTradierSymbol(row.symbol), row]));
}

const tick = (value: number) => priceText(String(value));

export function toQuote(symbol: string, row: QuoteRow, simulated: boolean): Quote | undefined {
  const { last, bid, ask, prevclose, trade_date, bid_date, ask_date } = row;
  if (last === null) return undefined;
  const bothSides = bid !== null && ask !== null && bid > 0 && ask > 0;
  // If the bid or ask is missing, the last trade determines the price, and so the time.
  const at = bothSides ? Math.max(bid_date, ask_date) : trade_date;
  return quoteSchema.parse({
    symbol,
    name: row.description,
    bid: tick(bid ?? 0),
    ask: tick(ask ?? 0),
    last: tick(last),
    previous_close: tick(prevclose ?? last),
    at: new Date(at).toISOString(),
    simulated,
  });
}

/** Converts an asset. Only stocks and funds count as tradable, and Tradier accepts no fractional orders. */
export function toAsset(symbol: string, row: QuoteRow): Asset {
  return assetSchema.parse({
    symbol,
    name: row.description,
    exchange: exchangeName(row.exch),
    tradable: row.type === 'stock' || row.type === 'etf',
    fractionable: false,
    shortable: false,
  });
}

const bar = { open: z.number(), high: z.number(), low: z.number(), close: z.number(), volume: z.number() };
const dayBars = wrappedListSchema('history', 'day', z.object({ date: z.iso.date(), ...bar }));
const minuteBars = wrappedListSchema('series', 'data', z.object({ timestamp: z.number(), ...bar }));

/** Number of days for which Tradier's "Time and Sales" has data, by interval. */
const INTRADAY_DAYS = { '1min': 20, '15min': 40 } as const;

/** Returns the newest `limit` bars, oldest first. Hourly bars are built from 15-minute bars. */
export async function readTradierBars(client: RestClient, query: BarQuery): Promise<Bar[]> {
  requireSplitAdjustment(tradierTraits.label, query);
  const { symbol, timeframe, start, end, limit } = query;
  const asked = { symbol: toTradierSymbol(symbol) };
  if (timeframe === '1Day') {
    const days = dayBars.parse(
      await client('/markets/history', {
        query: {
          ...asked,
          interval: 'daily',
          start: newYorkDate(start.getTime()),
          end: newYorkDate(end.getTime()),
        },
      }),
    );
    return days
      .map(({ date, ...rest }) => ({ ms: newYorkInstant(date, '00:00'), ...rest }))
      .map(barView)
      .slice(-limit);
  }
  const interval = timeframe === '1Min' ? '1min' : '15min';
  const from = Math.max(start.getTime(), end.getTime() - INTRADAY_DAYS[interval] * DAY_MS);
  const rows = minuteBars.parse(
    await client('/markets/timesales', {
      query: {
        ...asked,
        interval,
        start: newYorkMinute(from),
        end: newYorkMinute(end.getTime()),
        session_filter: 'open',
      },
    }),
  );
  const bars = rows.map(({ timestamp, ...rest }) => barView({ ms: timestamp * 1000, ...rest }));
  return (timeframe === '1Min' ? bars : hourly(bars)).slice(-limit);
}

/** Formats an instant as `YYYY-MM-DD HH:MM` in New York. */
const newYorkMinute = (ms: number) => newYorkTimestamp(ms).slice(0, 16).replace('T', ' ');

type BarRow = { ms: number; open: number; high: number; low: number; close: number; volume: number };

function barView({ ms, open, high, low, close, volume }: BarRow): Bar {
  return barSchema.parse({
    at: new Date(ms).toISOString(),
    open: tick(open),
    high: tick(high),
    low: tick(low),
    close: tick(close),
    volume: formatAmount(volume),
  });
}

function hourly(quarters: readonly Bar[]): Bar[] {
  const hours = new Map<string, Bar>();
  for (const bar of quarters) {
    const at = `${bar.at.slice(0, 13)}:00:00.000Z`;
    const known = hours.get(at);
    if (known === undefined) {
      hours.set(at, { ...bar, at });
      continue;
    }
    hours.set(at, {
      ...known,
      high: new Dec(known.high).gt(bar.high) ? known.high : bar.high,
      low: new Dec(known.low).lt(bar.low) ? known.low : bar.low,
      close: bar.close,
      volume: new Dec(known.volume).plus(bar.volume).toFixed(),
    });
  }
  return [...hours.values()];
}
