import { z } from 'zod';
import type { HistoryGaps } from '../../../store/sandbox/broker-tables.ts';
import type { Ledger } from '../../../store/sandbox/ledger.ts';
import type { AccountRecord, LedgerEntryRecord } from '../../../store/sandbox/records.ts';
import { Dec } from '../../../trading/decimal.ts';
import { addDays, newYorkDate, newYorkInstant } from '../../../trading/new-york-time.ts';
import { monthsBefore } from '../../../trading/period.ts';
import type { Session } from '../../../trading/trading-calendar.ts';
import type { Market } from '../../market/market.ts';
import { parseBody, parseTime, unprocessableError } from '../books/broker-error.ts';
import { equityAt, holdingsAt } from '../books/valuation.ts';

const MINUTE = 60_000;
const DAY = 86_400_000;
const lengths = {
  '1Min': MINUTE,
  '5Min': 5 * MINUTE,
  '15Min': 15 * MINUTE,
  '1H': 60 * MINUTE,
  '1D': DAY,
} as const;
type HistoryTimeframe = keyof typeof lengths;

const querySchema = z.object({
  period: z
    .string()
    .regex(/^[1-9]\d{0,3}[DWMA]$/)
    .optional(),
  timeframe: z.enum(['1Min', '5Min', '15Min', '1H', '1D']).optional(),
  start: z.string().optional(),
  end: z.string().optional(),
  pnl_reset: z.enum(['no_reset', 'per_day']).default('per_day'),
  /** `ALL`, `NONE`, or comma-separated activity types. */
  cashflow_types: z
    .string()
    .regex(/^[A-Z]+(,[A-Z]+)*$/)
    .default('NONE'),
});

/**
 * Returns Alpaca's PortfolioHistory: equity at the end of each window, labeled with the start of the window. Equity may
 * be negative. A day without known equity has no window. Numbers are JSON numbers, as the API contract requires.
 * @throws {BrokerError} 422 for an invalid or inconsistent period or timeframe
 */
export function computePortfolioHistory(
  query: Record<string, string>,
  account: AccountRecord,
  books: { ledger: Ledger; market: Market; historyGaps: HistoryGaps },
  now: number,
) {
  const given = parseBody(querySchema, query);
  const { period, pnl_reset, cashflow_types } = given;
  if (period && given.start && given.end) {
    throw unprocessableError('only two of start, end and period can be specified at the same time');
  }
  const { market, ledger } = books;
  const end = Math.min(parseTime(given.end, 'end') ?? now, now);
  const asked = parseTime(given.start, 'start') ?? startOfPeriod(end, period ?? '1M');
  const start = Math.max(asked, account.created_at);
  const days = (end - asked) / DAY;
  const timeframe = given.timeframe ?? (days < 7 ? '1Min' : days < 30 ? '15Min' : '1D');
  if (timeframe !== '1D' && days > 31) throw unprocessableError('only 1D timeframe is allowed for more than 30 days');

  const missing = books.historyGaps.days();
  const windows = windowsBetween(market, timeframe, start, end).filter(({ session }) => !missing.has(session.date));
  const ends = windows.map((window) => Math.min(window.to, now));
  const values = holdingsAt(ledger, account.id, ends).map((holdings, i) => equityAt(holdings, market, ends[i] ?? now));

  const closingBefore = (at: number) => {
    const closing = market.previousClosing(at);
    const [holdings] = holdingsAt(ledger, account.id, [closing]);
    return holdings === undefined ? new Dec(0) : equityAt(holdings, market, closing);
  };
  const [first] = windows;
  const base = timeframe === '1D' || first === undefined ? (values[0] ?? new Dec(0)) : closingBefore(first.from);
  let dayBase = base;
  let day = first?.session.date;
  const bases = windows.map(({ session, from }) => {
    if (timeframe !== '1D' && pnl_reset === 'per_day' && session.date !== day) {
      day = session.date;
      dayBase = closingBefore(from);
    }
    return dayBase;
  });

  return {
    timestamp: windows.map((window) => Math.floor(window.label / 1000)),
    equity: values.map((value) => value.toDecimalPlaces(2).toNumber()),
    profit_loss: values.map((value, i) =>
      value
        .minus(bases[i] ?? base)
        .toDecimalPlaces(2)
        .toNumber(),
    ),
    profit_loss_pct: values.map((value, i) => {
      const basis = bases[i] ?? base;
      return basis.isZero() ? 0 : value.minus(basis).div(basis).toDecimalPlaces(6).toNumber();
    }),
    base_value: base.toDecimalPlaces(2).toNumber(),
    timeframe,
    ...(cashflow_types !== 'NONE' &&
      first !== undefined && {
        cashflow: sumCashflows(cashflow_types, ledger.entries(account.id), [
          market.previousClosing(first.from),
          ...ends,
        ]),
      }),
  };
}

interface Window {
  session: Session;
  label: number;
  from: number;
  to: number;
}

function windowsBetween(market: Market, timeframe: HistoryTimeframe, start: number, end: number): Window[] {
  const length = lengths[timeframe];
  const windows: Window[] = [];
  for (const session of market.sessions(newYorkDate(start), newYorkDate(end))) {
    if (session.open >= end || session.close <= start) continue;
    if (timeframe === '1D') {
      const label = newYorkInstant(session.date, '00:00');
      windows.push({ session, label, from: session.open, to: session.close });
      continue;
    }
    for (let from = session.open; from < session.close && from < end; from += length) {
      if (from + length > start) windows.push({ session, label: from, from, to: from + length });
    }
  }
  return windows;
}

function startOfPeriod(end: number, period: string): number {
  const count = Number(period.slice(0, -1));
  const date = newYorkDate(end);
  const unit = period.at(-1);
  if (unit === 'D') return newYorkInstant(addDays(date, 1 - count), '00:00');
  if (unit === 'W') return newYorkInstant(addDays(date, -7 * count), '00:00');
  const months = unit === 'M' ? count : 12 * count;
  return newYorkInstant(monthsBefore(date, months), '00:00');
}

/**
 * Returns the dollars posted in each window, for each activity type. A window begins at the end of the previous window,
 * so each entry is in the window whose equity includes it.
 * @param asked `ALL`, or comma-separated types
 * @param ends the start of the first window, then the end of each window
 */
export function sumCashflows(
  asked: string,
  entries: readonly LedgerEntryRecord[],
  ends: readonly number[],
): Record<string, number[]> {
  const [from = 0] = ends;
  const until = ends.at(-1) ?? from;
  const within = entries.filter(({ at, amount }) => amount !== null && at > from && at <= until);
  const types = asked === 'ALL' ? [...new Set(within.map(({ type }) => type))].sort() : [...new Set(asked.split(','))];
  return Object.fromEntries(
    types.map((type) => {
      const sums = ends.slice(1).map(() => new Dec(0));
      for (const entry of within) {
        if (entry.type !== type) continue;
        const window = ends.findIndex((end) => entry.at <= end) - 1;
        sums[window] = (sums[window] ?? new Dec(0)).plus(entry.amount ?? 0);
      }
      return [type, sums.map((sum) => sum.toDecimalPlaces(2).toNumber())];
    }),
  );
}
