import { safeLine } from '../../text/sanitize.ts';
import type { PeriodActivities } from '../../tools/get-activities.ts';
import type { TradingDays } from '../../tools/get-calendar.ts';
import type { Activity, TradingDay } from '../../trading/activity.ts';
import { formatDollarAmount, formatSharePrice, formatShares, formatSignedDollars } from '../../trading/amounts.ts';
import { formatTimeWithZone } from '../../trading/date-words.ts';
import type { Article } from '../../trading/market-news.ts';
import { periodWords } from '../../trading/period.ts';
import type { MarketClock } from '../../trading/views.ts';
import { formatTable, numberColumn } from './table.ts';
import { wrapWords } from './wrap.ts';

export function clockText({ is_open, next_open, next_close }: MarketClock): string {
  return is_open ? `open until ${formatExchangeTime(next_close)}` : `closed until ${formatExchangeTime(next_open)}`;
}

function formatExchangeTime(at: string): string {
  return safeLine(formatTimeWithZone(at), 60);
}

export async function calendarText({ today, days, start, end }: TradingDays): Promise<string> {
  if (days.length === 0) return `No trading days from ${start} to ${end}.`;
  return formatTable<TradingDay>(
    [
      { head: 'DATE', cell: ({ date }) => `${date}${date === today ? ' (today)' : ''}` },
      { head: 'DAY', cell: ({ date }) => weekday(date) },
      { head: 'OPEN', cell: ({ open }) => open },
      { head: 'CLOSE', cell: ({ close }) => close },
    ],
    days,
  );
}

const weekday = (date: string) =>
  new Date(`${date}T00:00:00Z`).toLocaleDateString('en-US', { weekday: 'short', timeZone: 'UTC' });

export function newsText(news: readonly Article[], width: number): string {
  if (news.length === 0) return 'No news.';
  const articles = news.map(({ headline, source, at, url, symbols }) => {
    const about = symbols.slice(0, 5).join(', ');
    return [
      ...wrapWords(safeLine(headline), width),
      `  ${[at.slice(0, 16).replace('T', ' '), safeLine(source), about].filter((part) => part !== '').join(' · ')}`,
      ...(url === null ? [] : [`  ${safeLine(url)}`]),
    ].join('\n');
  });
  const note = news.some(({ simulated }) => simulated) ? ['The news is simulated.'] : [];
  return [...articles, ...note].join('\n\n');
}

export async function activitiesText(found: PeriodActivities): Promise<string> {
  const { activities, left_out, period, totals, simulated } = found;
  const note = simulated ? ['The account is simulated.'] : [];
  if (activities.length === 0) return [`No activities ${periodWords[period]}.`, ...note].join(' ');
  const rows = await formatTable<Activity>(
    [
      { head: 'DATE', cell: ({ at }) => at.slice(0, 10) },
      {
        head: 'WHAT',
        cell: ({ kind, side, imported }) =>
          `${kind === 'fill' ? (side ?? 'fill') : kind}${imported === true ? ' (imported)' : ''}`,
      },
      { head: 'SYMBOL', cell: ({ symbol }) => safeLine(symbol ?? '') },
      numberColumn('QTY', ({ qty }) => (qty === null ? '' : formatShares(qty))),
      numberColumn('PRICE', ({ price }) => (price === null ? '' : formatSharePrice(price))),
      numberColumn('AMOUNT', ({ amount }) => (amount === null ? '' : formatSignedDollars(amount))),
    ],
    activities,
  );
  return [
    rows,
    ...(left_out === undefined ? [] : [`and ${left_out} more (--limit)`]),
    `Dividends ${formatDollarAmount(totals.dividends)}, interest ${formatDollarAmount(totals.interest)}, fees ${formatDollarAmount(totals.fees)}.`,
    ...note,
  ].join('\n');
}

export function watchlistText(symbols: readonly string[]): string {
  return symbols.length === 0
    ? 'Your watchlist is empty. Add a symbol: trade-agent watchlist add AAPL'
    : symbols.map((symbol) => safeLine(symbol)).join('\n');
}
