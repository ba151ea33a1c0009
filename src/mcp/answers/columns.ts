import { newYorkDate } from '../../trading/new-york-time.ts';

/** Rows as one list per field, in which the names are said once. Every list has a value for each row, in order. */
type Columns = Readonly<Record<string, readonly unknown[]>>;

/** @param names the fields of a row, also if there are no rows */
function toColumns(rows: readonly Readonly<Record<string, unknown>>[], names: readonly string[]): Columns {
  return Object.fromEntries(names.map((name) => [name, rows.map((row) => row[name] ?? null)]));
}

type Found = Readonly<Record<string, unknown>>;
type Row = Readonly<Record<string, unknown>> & { readonly at: string };

const PRICES = ['open', 'high', 'low', 'close', 'volume'] as const;

/** Rows of a year of daily bars take three times as much. Daily bars have dates in New York instead of times. */
export function withBarColumns({ bars, ...found }: Found): Found {
  const isDaily = found.timeframe === '1Day';
  const rows = (bars as readonly Row[]).map((bar) => ({ ...bar, date: newYorkDate(Date.parse(bar.at)) }));
  return { ...found, bars: toColumns(rows, [isDaily ? 'date' : 'at', ...PRICES]) };
}

/** Each value is the one at the end of a day, so its date in New York identifies it. The last one is of now. */
export function withPerformanceColumns({ values, positions, ...found }: Found): Found {
  const rows = (values as readonly Row[]).map((value) => ({ ...value, date: newYorkDate(Date.parse(value.at)) }));
  return {
    ...found,
    positions: toColumns(positions as readonly Row[], ['symbol', 'day_profit', 'weight']),
    values: toColumns(rows, ['date', 'equity']),
  };
}
