import { parse } from 'csv-parse/sync';
import { readRequiredFile } from '../../config/required-file.ts';
import { TradeAgentError } from '../../errors/errors.ts';
import { safeLine } from '../../text/sanitize.ts';
import { Dec, positiveDecimalString } from '../../trading/decimal.ts';
import { symbolSchema } from '../../trading/order.ts';
import { buildGainsView, buildLotsView } from '../../trading/portfolio/gains-view.ts';
import { lotHistory } from '../../trading/portfolio/lot-history-replay.ts';
import type { LotChoice, LotMethod } from '../../trading/portfolio/lot-pool.ts';
import type { App } from '../app.ts';
import type { CheckStoreApp } from '../check/with-check-store.ts';
import { loadAccountHistory } from './account-history.ts';

const COLUMNS = ['symbol', 'sold', 'acquired', 'qty'] as const;
const isDate = (text: string) => /^\d{4}-\d\d-\d\d$/.test(text) && !Number.isNaN(Date.parse(text));

/**
 * Reads the lots to sell from a CSV file with the columns symbol, sold, acquired (dates in New York) and qty.
 * @throws {TradeAgentError} `usage`, naming the line
 */
export function readLotChoices(file: string): (LotChoice & { readonly line: number })[] {
  const hint = `The first line must name the columns: ${COLUMNS.join(',')}. Write dates like 2026-03-31.`;
  const text = readRequiredFile(file, 'lots file', hint);
  const wrong = (message: string) => new TradeAgentError('usage', safeLine(`${file}${message}`, 300), { hint });
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
  if (rows.length === 0) throw wrong(' contains no lots');
  return rows.map(({ record, info: { lines: line } }) => {
    const { symbol, sold = '', acquired = '', qty } = record;
    const parsed = { symbol: symbolSchema.safeParse(symbol), qty: positiveDecimalString.safeParse(qty) };
    if (!parsed.symbol.success) throw wrong(`, line ${line}: "${symbol ?? ''}" is not a ticker symbol`);
    if (!parsed.qty.success) throw wrong(`, line ${line}: "${qty ?? ''}" is not a number of shares`);
    for (const day of [sold, acquired]) if (!isDate(day)) throw wrong(`, line ${line}: "${day}" is not a date`);
    return { symbol: parsed.symbol.data, sold, acquired, qty: new Dec(parsed.qty.data), line };
  });
}

type HistoryApp = CheckStoreApp & Pick<App, 'gateway'>;

export interface GainOptions {
  /** A tax year such as `2026`. Defaults to all years. */
  readonly year?: string | undefined;
  readonly method: LotMethod;
  /** A file that chooses the lots to sell. Only for the method `specific`. */
  readonly lots?: string | undefined;
}

export type RealizedGains = ReturnType<typeof buildGainsView> & { readonly simulated: boolean };
export type HeldLots = ReturnType<typeof buildLotsView> & {
  readonly imported: number;
  readonly simulated: boolean;
};

/**
 * Returns realized gains by lot, with the columns of Form 8949.
 * @throws {TradeAgentError} `usage` for a file with lots that the account did not have; `login_required`
 */
export async function computeRealizedGains(app: HistoryApp, options: GainOptions): Promise<RealizedGains> {
  const { history, account, activities } = await loadLots(app, options);
  return {
    ...buildGainsView(history, activities, { method: options.method, year: options.year }),
    simulated: account.simulated,
  };
}

/** Returns the lots that the account holds. @throws {TradeAgentError} any error from {@link computeRealizedGains} */
export async function computeHeldLots(app: HistoryApp, options: Omit<GainOptions, 'year'>): Promise<HeldLots> {
  const { history, account, positions, activities, now } = await loadLots(app, options);
  return {
    ...buildLotsView(history, positions, now, options.method),
    imported: activities.filter(({ imported }) => imported === true).length,
    simulated: account.simulated,
  };
}

async function loadLots(app: HistoryApp, { method, lots }: Omit<GainOptions, 'year'>) {
  if ((method === 'specific') !== (lots !== undefined)) {
    throw new TradeAgentError(
      'usage',
      method === 'specific'
        ? '--method specific requires --lots'
        : `--lots works only with --method specific, not ${method}`,
      {
        hint: 'For example: trade-agent gains --method specific --lots lots.csv. See docs/reference/METRICS.md for the columns.',
      },
    );
  }
  const choices = lots === undefined ? [] : readLotChoices(lots);
  const known = await loadAccountHistory(app);
  const history = lotHistory(known.activities, method, { positions: known.positions, choices });
  const [unused] = history.unused;
  const choice = unused === undefined ? undefined : choices[unused];
  if (choice !== undefined) {
    throw new TradeAgentError(
      'usage',
      `${lots}, line ${choice.line}: the account did not hold ${choice.qty.toFixed()} shares of ${choice.symbol} acquired on ${choice.acquired} when it sold on ${choice.sold}`,
      {
        hint: 'Run "trade-agent gains --output csv" to see which lots were sold under FIFO. Dates are in New York time.',
      },
    );
  }
  return { ...known, history };
}
