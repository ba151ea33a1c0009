import { describeOptionSymbol } from '../../../trading/contract-words.ts';
import { newYorkDate } from '../../../trading/new-york-time.ts';
import { type BenchmarkReturn, benchmarkReturn, DEFAULT_BENCHMARK } from '../../../trading/portfolio/benchmark.ts';
import type { Bar } from '../../../trading/views.ts';
import { DAY_MS } from '../../../values/durations.ts';
import type { AccountReads, DatedValue, Period } from './dashboard-data.ts';

export const PERIOD_DAYS: Readonly<Record<Period, number>> = {
  '1D': 1,
  '1W': 7,
  '1M': 31,
  '3M': 93,
  '1A': 366,
  '10A': 3660,
};

/** Number of days that always includes a trading day. */
const MAX_CLOSURE_DAYS = 8;
/** Maximum number of bars in one response. */
const BARS_PER_REQUEST = 1000;
/** Maximum number of requests for the bars of one period, enough for more than ten years of daily bars. */
const MAX_REQUESTS = 3;

interface BarsQuery {
  readonly period: Period;
  readonly start: number;
  readonly now: number;
  readonly adjustment: 'split' | 'all';
}

/** Reads bars at the interval that the period's chart needs, oldest first. */
async function readAllBars(
  reads: AccountReads,
  symbol: string,
  { period, start, now, adjustment }: BarsQuery,
): Promise<Bar[]> {
  const timeframe = period === '1D' ? '1Min' : period === '1W' ? '1Hour' : '1Day';
  const all: Bar[] = [];
  let end = now;
  for (let requests = 0; requests < MAX_REQUESTS; requests++) {
    const bars = await reads.bars({ symbol, timeframe, start, end, adjustment });
    all.unshift(...bars);
    const [oldest] = bars;
    if (timeframe !== '1Day' || oldest === undefined || bars.length < BARS_PER_REQUEST) break;
    // Each request returns the newest bars, so the next request ends before the oldest of these.
    end = Date.parse(oldest.at) - 1;
  }
  return all;
}

/** Reads the bars of a period. If the period is a day, reads the last day with prices. */
export async function readBars(
  reads: AccountReads,
  symbol: string,
  { period, now }: { readonly period: Period; readonly now: number },
): Promise<readonly Bar[]> {
  const days = period === '1D' ? MAX_CLOSURE_DAYS : PERIOD_DAYS[period];
  const bars = await readAllBars(reads, symbol, { period, start: now - days * DAY_MS, now, adjustment: 'split' });
  return period === '1D' ? onLastDay(bars) : bars;
}

/** Reads the account's values in a period. For a day, reads today, or the last day with values if today has none. */
export async function readValues(reads: AccountReads, period: Period): Promise<readonly DatedValue[]> {
  const values = await reads.valueHistory(period);
  return period !== '1D' || values.length > 1 ? values : onLastDay(await reads.valueHistory('1W'));
}

function onLastDay<Dated extends { readonly at: string }>(all: readonly Dated[]): readonly Dated[] {
  const dayOf = ({ at }: Dated) => newYorkDate(Date.parse(at));
  const last = all.at(-1);
  return last === undefined ? all : all.filter((one) => dayOf(one) === dayOf(last));
}

interface BenchmarkLine extends Pick<BenchmarkReturn, 'factors' | 'period'> {
  readonly symbol: string;
}

/** Reads the benchmark's growth between the points, including dividends. Undefined if the broker has no data. */
export async function readBenchmark(
  reads: AccountReads,
  points: readonly { readonly at: number }[],
  { period, now }: { readonly period: Period; readonly now: number },
): Promise<BenchmarkLine | undefined> {
  const symbol = DEFAULT_BENCHMARK;
  const [first] = points;
  if (first === undefined) return undefined;
  const start = first.at - MAX_CLOSURE_DAYS * DAY_MS;
  // The benchmark is optional, because not every broker has its prices.
  const bars = await readAllBars(reads, symbol, { period, start, now, adjustment: 'all' }).catch(() => []);
  const dateOf = isIntraday(period) ? (at: number) => new Date(at).toISOString() : newYorkDate;
  const closes = bars.map(({ at, close }) => ({ date: dateOf(Date.parse(at)), close }));
  const found = benchmarkReturn(points, closes, dateOf);
  return found === undefined ? undefined : { ...found, symbol };
}

export const isIntraday = (period: Period): boolean => period === '1D' || period === '1W';

/** Maximum number of positions for which closing prices are read. Each position takes one request. */
const MAX_CLOSES = 20;

/** Reads a month of daily closing prices of the first symbols. Leaves out symbols that can't be read. */
export async function readCloses(
  reads: AccountReads,
  symbols: readonly string[],
  now: number,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const read = symbols.slice(0, MAX_CLOSES).map(async (symbol): Promise<[string, string[]]> => {
    const bars = await readBars(reads, symbol, { period: '1M', now }).catch(() => []);
    return [symbol, bars.map(({ close }) => close)];
  });
  return new Map(await Promise.all(read));
}

/** Maximum number of symbols per request to the gateway. */
const MAX_NAMES = 50;

/** Reads the symbols' names. Options get their names from their terms, even if the broker can't name other symbols. */
export async function readNames(reads: AccountReads, symbols: readonly string[]): Promise<ReadonlyMap<string, string>> {
  const options = symbols.flatMap((symbol): [string, string][] => {
    const words = describeOptionSymbol(symbol);
    return words === symbol ? [] : [[symbol, words]];
  });
  const others = symbols.filter((symbol) => describeOptionSymbol(symbol) === symbol).slice(0, MAX_NAMES);
  const quotes = others.length === 0 ? [] : await reads.quotes(others, 'names').catch(() => []);
  return new Map([
    ...quotes.flatMap(({ symbol, name }): [string, string][] => (name === null ? [] : [[symbol, name]])),
    ...options,
  ]);
}
