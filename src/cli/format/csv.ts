import { stringify } from 'csv-stringify/sync';
import { safeLine } from '../../text/sanitize.ts';
import { decimalString } from '../../trading/decimal.ts';
import { csvLists } from './csv-lists.ts';

/**
 * Formats a result's list as CSV (RFC 4180, with a header line). Text that a spreadsheet would run as a formula gets a
 * leading apostrophe; numbers do not.
 * @throws {RangeError} if the result is not a list
 */
export function formatCsv(resultName: string, data: Readonly<Record<string, unknown>>): string {
  const list = csvLists[resultName];
  if (list === undefined) throw new RangeError(`${resultName} is not a list`);
  const rows = data[list.rows] as readonly object[];
  return stringify(
    rows.map((row) => list.columns.map((column) => toCell(row, column))),
    {
      header: true,
      columns: [...list.columns],
      record_delimiter: 'windows',
      cast: {
        boolean: (value) => String(value),
        // A negative amount starts with a minus, like a formula, but must remain a number.
        string: (value) => ({ value, escape_formulas: !decimalString.safeParse(value).success }),
      },
    },
  );
}

function toCell(row: object, column: string): string | number | boolean | undefined {
  let value: unknown = row;
  for (const name of column.split('.')) {
    value = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  }
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'boolean' || typeof value === 'number') return value;
  if (typeof value === 'string') return safeLine(value);
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return safeLine(value.join(' '));
  return JSON.stringify(value);
}
