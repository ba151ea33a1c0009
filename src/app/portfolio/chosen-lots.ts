import { parse } from 'csv-parse/sync';
import { readNamedFile } from '../../config/named-file.ts';
import { safeLine } from '../../net/shown-text.ts';
import { Dec, positiveDecimalString } from '../../trading/decimal.ts';
import { TradeAgentError } from '../../trading/errors.ts';
import { symbolSchema } from '../../trading/order.ts';
import type { LotChoice } from '../../trading/portfolio/lot-pool.ts';

const COLUMNS = ['symbol', 'sold', 'acquired', 'qty'] as const;
const isDate = (text: string) => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));

/** A choice, and the line it stands in. */
export interface LineOfChoice extends LotChoice {
  readonly line: number;
}

/**
 * Lots named for sales, by a CSV file with the columns symbol, sold, acquired (days in New York) and qty.
 * @throws {TradeAgentError} `usage` naming the line
 */
export function chosenLots(file: string): LineOfChoice[] {
  const hint = `Its first line has the names: ${COLUMNS.join(',')}; the days are like 2026-03-31.`;
  const text = readNamedFile(file, 'file of lots', hint);
  const wrong = (message: string) =>
    new TradeAgentError('usage', safeLine(`${file}${message}`, 300), { hint });
  let rows: { record: Record<string, string>; info: { lines: number } }[];
  try {
    rows = parse(text, {
      bom: true,
      info: true,
      skip_empty_lines: true,
      trim: true,
      columns: (heads: string[]) => heads.map((head) => head.trim().toLowerCase()),
    }) as unknown as typeof rows;
  } catch (error) {
    throw wrong(` is not CSV: ${error instanceof Error ? error.message : 'it can’t be read'}`);
  }
  if (rows.length === 0) throw wrong(' names no lots');
  return rows.map(({ record, info: { lines: line } }) => {
    const { symbol, sold = '', acquired = '', qty } = record;
    const parsed = { symbol: symbolSchema.safeParse(symbol), qty: positiveDecimalString.safeParse(qty) };
    if (!parsed.symbol.success) throw wrong(`, line ${line}: "${symbol ?? ''}" is not a ticker symbol`);
    if (!parsed.qty.success) throw wrong(`, line ${line}: "${qty ?? ''}" is not a number of shares`);
    for (const day of [sold, acquired])
      if (!isDate(day)) throw wrong(`, line ${line}: "${day}" is not a day`);
    return { symbol: parsed.symbol.data, sold, acquired, qty: new Dec(parsed.qty.data), line };
  });
}
