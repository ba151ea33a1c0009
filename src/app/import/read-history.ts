import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { CsvError, parse } from 'csv-parse/sync';
import { TradeAgentError } from '../../errors/errors.ts';
import { safeLine } from '../../text/shown-text.ts';
import type { Activity } from '../../trading/activity.ts';
import { activityOf, type HistoryRow, historyColumns, RowError } from './history-row.ts';

/** Decades of trades; anything else was named by mistake. */
const MOST_BYTES = 16 * 1024 * 1024;
const MOST_ROWS = 100_000;

/** A line that can't be taken. */
export interface BadLine {
  readonly line: number;
  readonly reason: string;
}

/** What a file of activities says. */
export interface HistoryFile {
  /** Of its bytes: the same file has the same. */
  readonly id: string;
  readonly rows: readonly { readonly line: number; readonly activity: Activity }[];
  readonly bad: readonly BadLine[];
  /** Columns that say nothing here. */
  readonly ignored: readonly string[];
}

/**
 * Reads a CSV file (RFC 4180, a line of heads first, UTF-8) of activities. A row's id follows from what it says, and from
 * how many before it say the same, so that a row that comes in another file again is known.
 * @param now milliseconds since the epoch
 * @throws {TradeAgentError} `usage` for a file that is none
 */
export function readHistory(file: string, now: number): HistoryFile {
  const text = textOf(file);
  const { heads, records } = recordsOf(text, file);
  const known = heads.map((head) => head.trim().toLowerCase());
  for (const needed of ['date', 'type'] as const) {
    if (!known.includes(needed))
      throw unusable(
        `${file} has no column "${needed}"`,
        `Its first line has the names: ${historyColumns.join(',')}.`,
      );
  }
  const twice = historyColumns.find((name) => known.indexOf(name) !== known.lastIndexOf(name));
  if (twice !== undefined) throw unusable(`${file} has the column "${twice}" twice`, 'Leave one out.');
  const seen = new Map<string, number>();
  const rows: HistoryFile['rows'][number][] = [];
  const bad: BadLine[] = [];
  for (const [place, { line, cells }] of records.entries()) {
    try {
      if (cells.length !== heads.length)
        throw new RowError(`it has ${cells.length} cells, the first line ${heads.length}`);
      const row: HistoryRow = Object.fromEntries(
        historyColumns.map((name) => [name, cells[known.indexOf(name)] ?? '']),
      );
      const read = activityOf(row, place, now);
      const same = JSON.stringify({ ...read, at: row.date?.trim() });
      const count = seen.get(same) ?? 0;
      seen.set(same, count + 1);
      rows.push({ line, activity: { ...read, id: `imported:${digest(`${count} ${same}`).slice(0, 32)}` } });
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      bad.push({ line, reason: safeLine(error.message, 200) });
    }
  }
  const ignored = heads.filter(
    (_, index) => !(historyColumns as readonly string[]).includes(known[index] ?? ''),
  );
  return {
    id: `im_${digest(text).slice(0, 12)}`,
    rows,
    bad,
    ignored: ignored.map((head) => safeLine(head, 40)),
  };
}

function textOf(file: string): string {
  const hint = 'Name a CSV file.';
  let opened: number | undefined;
  try {
    opened = openSync(file, 'r');
    const facts = fstatSync(opened);
    if (!facts.isFile()) throw unusable(`${file} is no file`, hint);
    if (facts.size > MOST_BYTES) throw unusable(`${file} is larger than 16 MiB`, 'Split it.');
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(opened));
  } catch (error) {
    if (error instanceof TradeAgentError) throw error;
    if (error instanceof TypeError) throw unusable(`${file} is not in UTF-8`, 'Save it as CSV UTF-8.');
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw unusable(code === 'ENOENT' ? `there is no file ${file}` : `${file} can't be read (${code})`, hint);
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
}

function recordsOf(text: string, file: string) {
  try {
    // The parser counts each of CR and LF within quotes as a line.
    const all = parse(text.replaceAll('\r\n', '\n'), {
      bom: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as { record: string[]; info: { lines: number } }[];
    const [first, ...rest] = all;
    if (first === undefined)
      throw unusable(`${file} is empty`, `Its first line has the names: ${historyColumns.join(',')}.`);
    if (rest.length > MOST_ROWS) throw unusable(`${file} has more than ${MOST_ROWS} rows`, 'Split it.');
    return {
      heads: first.record,
      records: rest.map(({ record, info }) => ({ line: info.lines, cells: record })),
    };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const { lines } = error as unknown as { lines?: number };
    throw unusable(
      `${file} is not CSV${lines === undefined ? '' : `, line ${lines}`}: ${safeLine(error.message, 200)}`,
      'Correct the line.',
    );
  }
}

const digest = (text: string) => createHash('sha256').update(text).digest('hex');
const unusable = (message: string, hint: string) => new TradeAgentError('usage', safeLine(message), { hint });
