import { CsvError, type Info, parse } from 'csv-parse/sync';
import { type Node, type ParseError, parseTree, printParseErrorCode } from 'jsonc-parser';
import { type Row, wrong } from './day-rows.ts';

/** The rows of a CSV file (RFC 4180) by its header, whose names may be in any order and any case. */
export function csvRows(file: string, text: string): Row[] {
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
    throw wrong(file, lines, error.message);
  }
}

/** The rows of a JSON file: a list of days, or Alpaca's answer that has them as `bars`. */
export function jsonRows(file: string, text: string): Row[] {
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { disallowComments: true });
  const lineOf = (offset: number) => text.slice(0, offset).split('\n').length;
  const [error] = errors;
  if (error !== undefined)
    throw wrong(file, lineOf(error.offset), `no JSON: ${printParseErrorCode(error.error)}`);
  const list = root?.type === 'object' ? memberOf(root, 'bars') : root;
  if (list?.type !== 'array') throw wrong(file, 1, 'must be a list of days, or {"bars": [...]}');
  return (list.children ?? []).map((item) => {
    const line = lineOf(item.offset);
    if (item.type !== 'object')
      throw wrong(file, line, 'must be an object with date, open, high, low and close');
    const fields = (item.children ?? []).flatMap(({ children: [name, value] = [] }): [string, string][] =>
      name === undefined || value === undefined
        ? []
        : [[String(name.value).toLowerCase(), valueText(value, text)]],
    );
    return { line, fields: Object.fromEntries(fields) };
  });
}

function memberOf(object: Node, wanted: string): Node | undefined {
  return object.children?.find(({ children: [name] = [] }) => name?.value === wanted)?.children?.[1];
}

/** A number as it is written, so that no digit of it passes through a binary float. */
const valueText = (value: Node, text: string): string =>
  value.type === 'string' ? String(value.value) : text.slice(value.offset, value.offset + value.length);
