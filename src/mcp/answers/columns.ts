import { newYorkDate } from '../../trading/new-york-time.ts';

/** Rows as one list per field, so that each name appears only once. Every list has a value for each row, in order. */
type Columns = Readonly<Record<string, readonly unknown[]>>;

/** Converts rows to columns. @param names the fields of a row, needed if there are no rows */
function toColumns(rows: readonly Readonly<Record<string, unknown>>[], names: readonly string[]): Columns {
  return Object.fromEntries(names.map((name) => [name, rows.map((row) => row[name] ?? null)]));
}

type Found = Readonly<Record<string, unknown>>;
type Row = Readonly<Record<string, unknown>> & { readonly at: string };

const PRICES = ['open', 'high', 'low', 'close', 'volume'] as const;

/**
 * Returns bars as columns, which take a third of the space of rows. Daily bars have New York dates instead of times.
 */
export function withBarColumns({ bars, ...found }: Found): Found {
  const isDaily = found.timeframe === '1Day';
  const rows = (bars as readonly Row[]).map((bar) => ({ ...bar, date: newYorkDate(Date.parse(bar.at)) }));
  return { ...found, bars: toColumns(rows, [isDaily ? 'date' : 'at', ...PRICES]) };
}

/**
 * Returns values as columns. Each value is from the end of its New York date, except the last, which is current.
 */
export function withPerformanceColumns({ values, positions, ...found }: Found): Found {
  const rows = (values as readonly Row[]).map((value) => ({ ...value, date: newYorkDate(Date.parse(value.at)) }));
  return {
    ...found,
    positions: toColumns(positions as readonly Row[], ['symbol', 'day_profit', 'weight']),
    values: toColumns(rows, ['date', 'equity']),
  };
}
