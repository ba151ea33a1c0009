import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { CsvError, type Info, parse } from 'csv-parse/sync';
import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { z } from 'zod';
import { type CorporateAction, corporateActionsSchema } from '../corporate-action.ts';
import { type FileRow, invalidMarketFileError, parseDays, type RecordedDay } from './day-rows.ts';

interface ReplayData {
  readonly days: ReadonlyMap<string, readonly RecordedDay[]>;
  readonly actions: readonly CorporateAction[];
}

const ACTIONS_FILE = 'corporate-actions.json';

/**
 * Reads one file per symbol (`AAPL.csv`, `BRK.B.json`) and `corporate-actions.json`; ignores other files.
 * @throws {TradeAgentError} `invalid_config`, with file and line
 */
export function readMarketFolder(folder: string): ReplayData {
  const days = new Map<string, readonly RecordedDay[]>();
  let actions: readonly CorporateAction[] = [];
  for (const name of listFiles(folder)) {
    const file = join(folder, name);
    const [, symbol, kind] = /^(.+)\.(csv|json)$/i.exec(name) ?? [];
    if (name === ACTIONS_FILE) actions = readActions(file);
    else if (symbol !== undefined) {
      if (days.has(symbol)) throw invalidMarketFileError(file, undefined, `${symbol} already has another file`);
      days.set(symbol, readDays(file, symbol, kind?.toLowerCase() === 'csv' ? parseCsvRows : parseJsonRows));
    }
  }
  if (days.size === 0)
    throw invalidMarketFileError(folder, undefined, 'the folder contains no market files, such as AAPL.csv');
  return { days, actions };
}

function readDays(file: string, symbol: string, rowsOf: typeof parseCsvRows): RecordedDay[] {
  if (!/^[A-Z]{1,5}(\.[A-Z]{1,2})?$/.test(symbol)) {
    throw invalidMarketFileError(
      file,
      undefined,
      'the file must be named after its symbol, such as AAPL.csv or BRK.B.json',
    );
  }
  return parseDays(file, rowsOf(file, readFileSync(file, 'utf8')));
}

function listFiles(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    throw invalidMarketFileError(
      folder,
      undefined,
      `can’t be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`,
    );
  }
}

/** Parses a file that contains Alpaca's response (`/v1/corporate-actions`), or only its `corporate_actions`. */
function readActions(file: string): CorporateAction[] {
  let content: unknown;
  try {
    content = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw invalidMarketFileError(file, undefined, `not JSON: ${(error as Error).message}`);
  }
  const answer = z.object({ corporate_actions: z.unknown() }).safeParse(content);
  const read = corporateActionsSchema.safeParse(answer.success ? answer.data.corporate_actions : content);
  if (!read.success) throw invalidMarketFileError(file, undefined, z.prettifyError(read.error));
  return read.data;
}

/** Returns the rows of a CSV file (RFC 4180), keyed by the names in its header. Names can be in any order and case. */
export function parseCsvRows(file: string, text: string): FileRow[] {
  try {
    const rows = parse(text, {
      bom: true,
      trim: true,
      skip_empty_lines: true,
      info: true,
      columns: (header: string[]) => header.map((name) => name.toLowerCase()),
    }) as unknown as { record: Record<string, string>; info: Info }[];
    return rows.map(({ record, info }) => ({ line: info.lines, fields: record }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const { lines } = error as CsvError & { lines?: number };
    throw invalidMarketFileError(file, lines, error.message);
  }
}

/** Returns the rows of a JSON file, which contains a list of days or Alpaca's response with `bars`. */
export function parseJsonRows(file: string, text: string): FileRow[] {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { disallowComments: true });
  const lineOf = (offset: number) => text.slice(0, offset).split('\n').length;
  const [error] = errors;
  if (error !== undefined)
    throw invalidMarketFileError(file, lineOf(error.offset), `not JSON: ${printParseErrorCode(error.error)}`);
  const list = root?.type === 'object' ? findMember(root, 'bars') : root;
  if (list?.type !== 'array') throw invalidMarketFileError(file, 1, 'must be a list of days, or {"bars": [...]}');
  return (list.children ?? []).map((item) => {
    const line = lineOf(item.offset);
    if (item.type !== 'object')
      throw invalidMarketFileError(file, line, 'must be an object with date, open, high, low and close');
    const fields = (item.children ?? []).flatMap(({ children: [name, value] = [] }): [string, string][] =>
      name === undefined || value === undefined ? [] : [[String(name.value).toLowerCase(), valueText(value, text)]],
    );
    return { line, fields: Object.fromEntries(fields) };
  });
}

function findMember(object: Node, wanted: string): Node | undefined {
  return object.children?.find(({ children: [name] = [] }) => name?.value === wanted)?.children?.[1];
}

/** Returns a value's text in the file, so that no number passes through a float. */
const valueText = (value: Node, text: string): string =>
  value.type === 'string' ? String(value.value) : text.slice(value.offset, value.offset + value.length);
