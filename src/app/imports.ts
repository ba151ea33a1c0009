import { createHash } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { CsvError, parse } from 'csv-parse/sync';
import { TradeAgentError } from '../errors/errors.ts';
import type { ImportedFile, ImportStore } from '../store/check-store.ts';
import { safeLine } from '../text/sanitize.ts';
import { type Activity, EARLIEST_ACTIVITY_MS } from '../trading/activity.ts';
import { Dec, isPositive, parseDecimal, toCents, toPlain } from '../trading/decimal.ts';
import { newYorkInstant } from '../trading/new-york-time.ts';
import { symbolSchema } from '../trading/order.ts';
import { brokerHistoryStart, importedBeforeBroker } from '../trading/portfolio/imported.ts';
import type { App } from './app.ts';
import { type CheckStoreApp, withCheckStore } from './check/with-check-store.ts';

type ImportApp = CheckStoreApp & Pick<App, 'clock' | 'gateway'>;

export type ImportReport = Awaited<ReturnType<typeof buildReport>>;

/**
 * Imports a CSV file of activities, so that this account's figures include them. Neither the gateway nor the broker
 * receives the activities. Importing a file twice changes nothing.
 * @param options.skipBad skips lines that can't be read; otherwise, such lines abort the import
 * @throws {TradeAgentError} `usage` for a file that is not CSV or has bad lines, in which case nothing is changed
 */
export async function importActivities(
  app: ImportApp,
  file: string,
  { dryRun = false, skipBad = false }: { readonly dryRun?: boolean; readonly skipBad?: boolean } = {},
): Promise<ImportReport> {
  const history = readActivityFile(file, app.clock.now());
  const gateway = await app.gateway();
  const [account, broker] = await Promise.all([gateway.account(), gateway.activities({ after: EARLIEST_ACTIVITY_MS })]);
  const look = (imports: Pick<ImportStore, 'activities'>) =>
    buildReport(imports, history, { file, account, broker, dryRun });
  if (dryRun) return withImports(app, account.account, look, await look(noImports));
  if (history.bad.length > 0 && !skipBad) {
    const [first] = history.bad;
    throw new TradeAgentError(
      'usage',
      `${history.bad.length === 1 ? '1 line' : `${history.bad.length} lines`} of ${safeLine(file)} can't be read; line ${first?.line}: ${first?.reason}`,
      {
        hint: 'Nothing was imported. Use --dry-run to list them all, or --skip-bad to import the other lines.',
        details: { bad: history.bad },
      },
    );
  }
  return withImports(app, account.account, async (imports) => {
    const report = await look(imports);
    await imports.put(
      { id: history.id, file: report.file, at: app.clock.now() },
      history.rows.map(({ activity }) => activity),
    );
    return report;
  });
}

async function buildReport(
  imports: Pick<ImportStore, 'activities'>,
  { id, rows, bad, ignored }: ReturnType<typeof readActivityFile>,
  given: {
    readonly file: string;
    readonly account: { readonly account: string; readonly simulated: boolean };
    readonly broker: Parameters<typeof importedBeforeBroker>[0];
    readonly dryRun: boolean;
  },
) {
  const { account, broker, dryRun } = given;
  const kept = new Set((await imports.activities()).map((activity) => activity.id));
  const fresh = rows.filter(({ activity }) => !kept.has(activity.id));
  const activities = fresh.map(({ activity }) => activity);
  const counted = new Set(importedBeforeBroker(broker, activities));
  return {
    id,
    file: safeLine(basename(given.file), 200),
    account: account.account,
    dry_run: dryRun,
    // New rows.
    taken: fresh.map(({ line, activity }) => {
      const { kind, at, symbol, side, qty, price, amount } = activity;
      return { line, at, kind, symbol, side, qty, price, amount };
    }),
    // Lines whose activity was already imported.
    known: rows.filter(({ activity }) => kept.has(activity.id)).map(({ line }) => line),
    // Lines that are stored but not counted, because the broker itself reports this period.
    told_by_broker: fresh
      .filter(({ activity }) => !counted.has(activity) && activity.basis === undefined)
      .map(({ line }) => line),
    broker_since: brokerHistoryStart(broker) ?? null,
    bad,
    ignored_columns: ignored,
    simulated: account.simulated,
  };
}

export async function listImports(app: ImportApp): Promise<ImportedFile[]> {
  const { account } = await (await app.gateway()).account();
  return withImports(app, account, (imports) => imports.files(), []);
}

/** Removes an import's activities. @throws {TradeAgentError} `not_found` */
export async function undoImport(app: ImportApp, id: string): Promise<{ id: string; removed: number }> {
  const { account } = await (await app.gateway()).account();
  const removed = await withImports(app, account, (imports) => imports.remove(id), undefined);
  if (removed !== undefined) return { id, removed };
  throw new TradeAgentError('not_found', `there is no import ${safeLine(id, 40)} in this account`, {
    hint: 'List them with "trade-agent import list".',
  });
}

const noImports: Pick<ImportStore, 'activities'> = { activities: async () => [] };

/** Opens the account's imports. @param otherwise the result if nothing is stored; if omitted, a store is created */
function withImports<T>(
  app: CheckStoreApp,
  account: string,
  use: (imports: ImportStore) => Promise<T>,
  ...otherwise: [T?]
): Promise<T> {
  return withCheckStore(app, (store, owner) => use(store.imports({ profile: owner, account })), {
    ...(otherwise.length === 0 ? {} : { otherwise: otherwise[0] as T }),
  });
}

/** Maximum size of a file, enough for decades of trades. A larger file was probably passed by mistake. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;
const MAX_ROWS = 100_000;

/**
 * Reads a CSV file of activities (RFC 4180 with a header line, UTF-8). A row's ID is a digest of the row's content and
 * the number of identical rows before it, so the same row is recognized in another file.
 * @param now milliseconds since the epoch
 * @throws {TradeAgentError} `usage` for a file in another format
 */
export function readActivityFile(file: string, now: number) {
  const text = readCsvText(file);
  const { heads, records } = parseCsv(text, file);
  const known = heads.map((head) => head.trim().toLowerCase());
  for (const needed of ['date', 'type'] as const) {
    if (!known.includes(needed))
      throw unusableFile(
        `${file} has no column "${needed}"`,
        `The first line must name the columns: ${historyColumns.join(',')}.`,
      );
  }
  const twice = historyColumns.find((name) => known.indexOf(name) !== known.lastIndexOf(name));
  if (twice !== undefined) throw unusableFile(`${file} has the column "${twice}" twice`, 'Remove one of them.');
  const seen = new Map<string, number>();
  const rows: { readonly line: number; readonly activity: Activity }[] = [];
  const bad: { readonly line: number; readonly reason: string }[] = [];
  for (const [index, { line, cells }] of records.entries()) {
    try {
      if (cells.length !== heads.length)
        throw new RowError(`it has ${cells.length} cells, but the header has ${heads.length}`);
      const row: HistoryRow = Object.fromEntries(
        historyColumns.map((name) => [name, cells[known.indexOf(name)] ?? '']),
      );
      const read = toActivity(row, index, now);
      const same = JSON.stringify({ ...read, at: row.date?.trim() });
      const count = seen.get(same) ?? 0;
      seen.set(same, count + 1);
      rows.push({ line, activity: { ...read, id: `imported:${digest(`${count} ${same}`).slice(0, 32)}` } });
    } catch (error) {
      if (!(error instanceof RowError)) throw error;
      bad.push({ line, reason: safeLine(error.message, 200) });
    }
  }
  const ignored = heads.filter((_, index) => !(historyColumns as readonly string[]).includes(known[index] ?? ''));
  return {
    id: `im_${digest(text).slice(0, 12)}`,
    rows,
    bad,
    ignored: ignored.map((head) => safeLine(head, 40)),
  };
}

function readCsvText(file: string): string {
  const hint = 'Pass a CSV file.';
  let opened: number | undefined;
  try {
    opened = openSync(file, 'r');
    const facts = fstatSync(opened);
    if (!facts.isFile()) throw unusableFile(`${file} is not a file`, hint);
    if (facts.size > MAX_FILE_BYTES) throw unusableFile(`${file} is larger than 16 MiB`, 'Split the file.');
    return new TextDecoder('utf-8', { fatal: true }).decode(readFileSync(opened));
  } catch (error) {
    if (error instanceof TradeAgentError) throw error;
    if (error instanceof TypeError) throw unusableFile(`${file} is not UTF-8`, 'Save the file as CSV UTF-8.');
    const { code = 'unknown error' } = error as NodeJS.ErrnoException;
    throw unusableFile(code === 'ENOENT' ? `there is no file ${file}` : `${file} can't be read (${code})`, hint);
  } finally {
    if (opened !== undefined) closeSync(opened);
  }
}

function parseCsv(text: string, file: string) {
  try {
    // CRLF is replaced, because the parser counts it as two lines within quotes, which would make line numbers wrong.
    const all = parse(text.replaceAll('\r\n', '\n'), {
      bom: true,
      info: true,
      relax_column_count: true,
      skip_empty_lines: true,
    }) as unknown as { record: string[]; info: { lines: number } }[];
    const [first, ...rest] = all;
    if (first === undefined)
      throw unusableFile(`${file} is empty`, `The first line must name the columns: ${historyColumns.join(',')}.`);
    if (rest.length > MAX_ROWS) throw unusableFile(`${file} has more than ${MAX_ROWS} rows`, 'Split it.');
    return {
      heads: first.record,
      records: rest.map(({ record, info }) => ({ line: info.lines, cells: record })),
    };
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const { lines } = error as unknown as { lines?: number };
    throw unusableFile(
      `${file} is not CSV${lines === undefined ? '' : `, line ${lines}`}: ${safeLine(error.message, 200)}`,
      'Fix that line.',
    );
  }
}

const digest = (text: string) => createHash('sha256').update(text).digest('hex');
const unusableFile = (message: string, hint: string) => new TradeAgentError('usage', safeLine(message), { hint });

/** The columns, in any order. `date` and `type` are required. */
const historyColumns = ['date', 'type', 'symbol', 'qty', 'price', 'amount', 'from', 'fraction'] as const;
type HistoryRow = Partial<Record<(typeof historyColumns)[number], string>>;

type Sign = 'positive' | 'negative' | 'any';

interface RowType {
  readonly kind: Activity['kind'];
  /** Alpaca's name for the activity type, which other code expects. */
  readonly type: string;
  readonly side?: 'buy' | 'sell';
  /** The sign of the imported quantity. A sign in the file is ignored. */
  readonly qty?: Sign;
  readonly amount?: Sign;
  readonly symbol: 'needed' | 'optional' | 'none';
  /** Whether part of the cost basis of another symbol's shares moves to the row's shares. */
  readonly divides?: true;
}

const historyTypes: Readonly<Record<string, RowType>> = {
  buy: { kind: 'fill', type: 'FILL', side: 'buy', qty: 'positive', symbol: 'needed' },
  sell: { kind: 'fill', type: 'FILL', side: 'sell', qty: 'positive', symbol: 'needed' },
  deposit: { kind: 'deposit', type: 'CSD', amount: 'positive', symbol: 'none' },
  withdrawal: { kind: 'withdrawal', type: 'CSW', amount: 'negative', symbol: 'none' },
  dividend: { kind: 'dividend', type: 'DIV', amount: 'any', symbol: 'optional' },
  interest: { kind: 'interest', type: 'INT', amount: 'any', symbol: 'none' },
  fee: { kind: 'fee', type: 'FEE', amount: 'negative', symbol: 'optional' },
  split: { kind: 'other', type: 'SPLIT', qty: 'any', symbol: 'needed' },
  spin_off: { kind: 'other', type: 'SPIN', qty: 'positive', symbol: 'needed', divides: true },
  transfer: { kind: 'transfer', type: 'JNLS', qty: 'any', symbol: 'needed' },
};

class RowError extends Error {}

/**
 * Converts a row to an activity. @throws {RowError}
 * @param index the row's index, which preserves the order of rows on the same day
 * @param now milliseconds since the epoch; later dates are rejected
 */
function toActivity(row: HistoryRow, index: number, now: number): Omit<Activity, 'id'> {
  const word = row.type?.trim().toLowerCase() ?? '';
  const type = Object.hasOwn(historyTypes, word) ? historyTypes[word] : undefined;
  if (type === undefined) throw new RowError(`type "${word}" must be one of ${Object.keys(historyTypes).join(', ')}`);
  const at = parseInstant(row.date ?? '', index);
  if (at > now) throw new RowError(`date ${row.date} is in the future`);
  if (at < EARLIEST_ACTIVITY_MS)
    throw new RowError(`date ${row.date} is before ${new Date(EARLIEST_ACTIVITY_MS).getUTCFullYear()}`);
  const [qty, price, amount] = (['qty', 'price', 'amount'] as const).map((name) => parseNumber(name, row[name]));
  const moved = type.qty === undefined ? undefined : withSign('qty', qty, type.qty);
  const money = type.amount === undefined ? undefined : withSign('amount', amount, type.amount);
  if (type.kind === 'fill') checkTrade(moved, price, amount);
  const written = {
    kind: type.kind,
    type: type.type,
    at: new Date(at).toISOString(),
    imported: true as const,
  };
  return {
    ...written,
    symbol: parseSymbol(row.symbol, type.symbol),
    side: type.side ?? null,
    qty: moved === undefined ? null : toPlain(moved),
    price: type.kind === 'fill' && price !== undefined ? toPlain(price) : null,
    amount: money === undefined ? null : toPlain(money),
    ...(type.divides === true ? { basis: parseBasis(row) } : {}),
  };
}

/** Parses a date to milliseconds since the epoch. A date without a time means midnight in New York. */
function parseInstant(text: string, index: number): number {
  const written = text.trim();
  if (/^\d{4}-\d\d-\d\d$/.test(written)) {
    const day = new Date(`${written}T00:00:00Z`);
    if (!Number.isNaN(day.getTime()) && day.toISOString().slice(0, 10) === written)
      return newYorkInstant(written, '00:00') + index;
  }
  if (/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/.test(written)) {
    const at = Date.parse(written);
    if (!Number.isNaN(at)) return at;
  }
  throw new RowError(`date "${written}" must look like 2026-03-31 or 2026-03-31T15:30:00Z`);
}

/** Parses a decimal, optionally with a dollar sign and thousands separators, such as `-$1,234.50`. */
function parseNumber(name: string, text: string | undefined): Dec | undefined {
  const written = text?.trim() ?? '';
  if (written === '') return undefined;
  const digits = written.replace(/^(-?)\$/, '$1');
  const bare = /^-?\d{1,3}(,\d{3})+(\.\d+)?$/.test(digits) ? digits.replaceAll(',', '') : digits;
  try {
    return parseDecimal(bare);
  } catch {
    throw new RowError(`${name} "${written}" is not a number such as 1234.50`);
  }
}

function withSign(name: string, value: Dec | undefined, sign: Sign): Dec {
  if (value === undefined || value.isZero()) throw new RowError(`${name} is missing`);
  if (sign === 'any') return value;
  return sign === 'positive' ? value.abs() : value.abs().neg();
}

/** Rejects a trade whose amount is not shares times price. */
function checkTrade(qty: Dec | undefined, price: Dec | undefined, amount: Dec | undefined): void {
  if (price === undefined || price.isZero() || price.isNegative()) throw new RowError('price is missing');
  if (qty === undefined || amount === undefined) return;
  const worth = qty.mul(price);
  if (amount.abs().minus(worth).abs().lte(new Dec('0.01'))) return;
  throw new RowError(
    `amount ${toCents(amount.abs())} does not equal qty × price, ${toCents(worth)}: leave amount empty, or put the fee on its own line`,
  );
}

/** Returns the fraction of the cost basis that moves to the new shares, as on the company's Form 8937. */
function parseBasis({ from, fraction: written }: HistoryRow): NonNullable<Activity['basis']> {
  const fraction = parseNumber('fraction', written);
  if (fraction === undefined || !isPositive(fraction) || fraction.gte(1)) {
    throw new RowError(
      'fraction must be the part of the cost basis that moves to the new shares, such as 0.2291 (Form 8937)',
    );
  }
  const name = from?.trim() ?? '';
  if (name === '') throw new RowError('from is missing: the symbol whose holders received the shares');
  return { from: parseSymbol(name, 'needed') ?? name, fraction: toPlain(fraction) };
}

function parseSymbol(text: string | undefined, wanted: RowType['symbol']): string | null {
  const written = text?.trim() ?? '';
  if (wanted === 'none') return null;
  if (written === '') {
    if (wanted === 'optional') return null;
    throw new RowError('symbol is missing');
  }
  const symbol = symbolSchema.safeParse(written);
  if (!symbol.success) throw new RowError(`symbol "${written}" ${symbol.error.issues[0]?.message ?? 'is invalid'}`);
  return symbol.data;
}
