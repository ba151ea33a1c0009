import { TradeAgentError } from '../../../errors/errors.ts';
import { Dec } from '../../../trading/decimal.ts';
import { type IsoDate, newYorkDate } from '../../../trading/new-york-time.ts';

export interface RecordedDay {
  readonly date: IsoDate;
  readonly open: Dec;
  readonly high: Dec;
  readonly low: Dec;
  readonly close: Dec;
  readonly volume: number;
}

export interface FileRow {
  readonly line: number;
  readonly fields: Readonly<Record<string, string>>;
}

/** Accepted names of each field, including the one-letter names in Alpaca's bars. */
const fieldNames = {
  date: ['date', 'timestamp', 'time', 't'],
  open: ['open', 'o'],
  high: ['high', 'h'],
  low: ['low', 'l'],
  close: ['close', 'c'],
  volume: ['volume', 'v'],
} as const;
type Field = keyof typeof fieldNames;

export function invalidMarketFileError(file: string, line: number | undefined, what: string): TradeAgentError {
  return new TradeAgentError('invalid_config', `${file}${line === undefined ? '' : `:${line}`}: ${what}`, {
    hint: 'See "Real days" in docs/guide/SANDBOX.md for the format of market files',
  });
}

/** Returns a symbol's days, oldest first. @throws {TradeAgentError} `invalid_config`, with file and line */
export function parseDays(file: string, rows: readonly FileRow[]): RecordedDay[] {
  const seen = new Map<IsoDate, number>();
  const days = rows.map((row) => {
    const day = parseDay(file, row);
    const before = seen.get(day.date);
    if (before !== undefined) throw invalidMarketFileError(file, row.line, `${day.date} is already on line ${before}`);
    seen.set(day.date, row.line);
    return day;
  });
  if (days.length === 0) throw invalidMarketFileError(file, undefined, 'the file contains no market days');
  return days.sort((a, b) => (a.date < b.date ? -1 : 1));
}

function parseDay(file: string, row: FileRow): RecordedDay {
  const field = (name: Field): string | undefined =>
    fieldNames[name].map((alias) => row.fields[alias]).find((value) => value !== undefined && value !== '');
  const price = (name: Field): Dec => {
    const text = field(name);
    if (text === undefined) throw invalidMarketFileError(file, row.line, `${name} is missing`);
    if (!/^\d{1,9}(\.\d{1,12})?$/.test(text) || new Dec(text).isZero()) {
      throw invalidMarketFileError(
        file,
        row.line,
        `${name} must be a price such as 180.25, not ${JSON.stringify(text)}`,
      );
    }
    return new Dec(text);
  };
  const date = parseDate(file, row.line, field('date'));
  const [open, high, low, close] = [price('open'), price('high'), price('low'), price('close')];
  if (Dec.max(open, low, close).gt(high))
    throw invalidMarketFileError(file, row.line, `high (${high}) is not the highest price`);
  if (Dec.min(open, high, close).lt(low))
    throw invalidMarketFileError(file, row.line, `low (${low}) is not the lowest price`);
  const volume = field('volume') ?? '0';
  if (!/^\d{1,15}(\.0+)?$/.test(volume)) {
    throw invalidMarketFileError(file, row.line, `volume must be a number of shares, not ${JSON.stringify(volume)}`);
  }
  return { date, open, high, low, close, volume: Math.trunc(Number(volume)) };
}

/** Parses a date, or returns the date in New York of an instant (RFC 3339). */
function parseDate(file: string, line: number, text: string | undefined): IsoDate {
  if (text === undefined) throw invalidMarketFileError(file, line, 'date is missing');
  const at = Date.parse(text);
  const isDate = /^\d{4}-\d{2}-\d{2}$/.test(text);
  const isReal = !Number.isNaN(at) && new Date(at).toISOString().startsWith(isDate ? text : '');
  if (!isReal || (!isDate && !/^\d{4}-\d{2}-\d{2}T/.test(text))) {
    throw invalidMarketFileError(file, line, `date must be a date such as 2026-03-02, not ${JSON.stringify(text)}`);
  }
  return isDate ? text : newYorkDate(at);
}
