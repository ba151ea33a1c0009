import { z } from 'zod';
import { activitySchema, tradingDaySchema } from '../../trading/activity.ts';
import {
  formatDollarAmount,
  formatSharePrice,
  formatShares,
  formatSignedDollars,
  formatSignedPercent,
} from '../../trading/amounts.ts';
import { formatDate, formatTimeOfDay } from '../../trading/date-words.ts';
import { articleSchema } from '../../trading/market-news.ts';
import { addDays } from '../../trading/new-york-time.ts';
import { periods, periodWords } from '../../trading/period.ts';
import type { PerformanceFigure } from '../reader/intent.ts';

const calendar = z.lazy(() => z.object({ today: z.string(), days: z.array(tradingDaySchema) }));
const news = z.lazy(() => z.object({ news: z.array(articleSchema), simulated: z.boolean() }));
const activities = z.lazy(() =>
  z.object({
    period: z.enum(periods),
    activities: z.array(activitySchema),
    left_out: z.number().optional(),
    totals: z.object({ dividends: z.string() }),
    simulated: z.boolean(),
  }),
);
const rate = z.lazy(() => z.object({ fraction: z.string() }).nullable());
const performance = z.lazy(() =>
  z.object({
    period: z.enum(periods),
    equity: z.string(),
    added: z.string(),
    profit: z.string(),
    time_weighted: rate,
    money_weighted: rate,
    benchmark: z.object({ symbol: z.string(), return: rate }),
    simulated: z.boolean(),
  }),
);
const watchlist = z.lazy(() => z.object({ watchlist: z.object({ symbols: z.array(z.string()) }) }));

export function formatDataAnswer(tool: string, args: Record<string, unknown>, content: unknown): string | undefined {
  switch (tool) {
    case 'get_calendar':
      return tomorrowAnswer(calendar.parse(content));
    case 'get_news':
      return newsAnswer(news.parse(content));
    case 'get_activities':
      return activitiesAnswer(activities.parse(content), args);
    case 'get_performance':
      return performanceAnswer(performance.parse(content));
    case 'get_watchlist':
    case 'set_watchlist':
      return watchlistAnswer(watchlist.parse(content).watchlist.symbols);
    default:
      return undefined;
  }
}

function tomorrowAnswer({ today, days }: z.output<typeof calendar>): string {
  const date = addDays(today, 1);
  const day = days.find((each) => each.date === date);
  if (day !== undefined) {
    return `Yes, the market is open tomorrow, ${formatDate(date)}, ${hoursText(day)}.`;
  }
  const next = days.find((each) => each.date > date);
  const then = next === undefined ? '' : ` It next opens on ${formatDate(next.date)}, ${hoursText(next)}.`;
  return `No, the market is closed tomorrow, ${formatDate(date)}.${then}`;
}

const hoursText = ({ open, close }: { open: string; close: string }) =>
  `from ${formatTimeOfDay(open)} to ${formatTimeOfDay(close)} New York time`;

function newsAnswer({ news: list, simulated }: z.output<typeof news>): string {
  if (list.length === 0) return 'There is no news.';
  const lines = list.map(
    ({ headline, source, at }) =>
      `- ${stripMarkdown(headline)} (${stripMarkdown(source)}, ${formatDate(at.slice(0, 10))})`,
  );
  return [...lines, ...(simulated ? ['', 'The news is simulated.'] : [])].join('\n');
}

function stripMarkdown(text: string): string {
  return text.replace(/[[\]<>`*_|\\!#~]/g, '');
}

function activitiesAnswer(
  { period, activities: list, left_out, totals, simulated }: z.output<typeof activities>,
  { kinds }: Record<string, unknown>,
): string {
  const only = Array.isArray(kinds) && kinds.length === 1 ? String(kinds[0]) : undefined;
  const note = simulated ? ' The account is simulated.' : '';
  const named = only === 'fill' ? 'trades' : only === 'dividend' ? 'dividends' : 'activities';
  if (list.length === 0) return `No ${named} ${periodWords[period]}.${note}`;
  const sum = only === 'dividend' ? `${formatDollarAmount(totals.dividends)} in dividends ${periodWords[period]}.` : '';
  const more = left_out === undefined ? '' : `\n\nand ${left_out} more.`;
  const lines = list.map(
    ({ at, kind, symbol, side, qty, price, amount, imported }) =>
      (kind === 'fill' && qty !== null && price !== null
        ? `- ${formatDate(at.slice(0, 10))}: ${side === 'buy' ? 'bought' : 'sold'} ${formatShares(qty)} ${symbol} at ${formatSharePrice(price)}`
        : `- ${formatDate(at.slice(0, 10))}: ${kind}${symbol === null ? '' : ` ${symbol}`}${amount === null ? '' : ` ${formatSignedDollars(amount)}`}`) +
      (imported === true ? ' (imported)' : ''),
  );
  return `${sum === '' ? '' : `${sum}\n\n`}${lines.join('\n')}${more}${note === '' ? '' : `\n\n${note.trim()}`}`;
}

function performanceAnswer(figures: z.output<typeof performance>): string {
  const { period, profit, added, equity, time_weighted, money_weighted, benchmark, simulated } = figures;
  const rates = [
    ...(time_weighted === null ? [] : [`${formatSignedPercent(time_weighted.fraction)} time-weighted`]),
    ...(money_weighted === null ? [] : [`${formatSignedPercent(money_weighted.fraction)} money-weighted`]),
  ].join(', ');
  const flows = Number(added) === 0 ? '' : ` Deposits minus withdrawals were ${formatSignedDollars(added)}.`;
  const beside =
    benchmark.return === null
      ? ''
      : ` ${stripMarkdown(benchmark.symbol)} returned ${formatSignedPercent(benchmark.return.fraction)} with dividends.`;
  return `${formatSignedDollars(profit)} ${periodWords[period]}${rates === '' ? '' : ` (${rates})`}; equity ${formatDollarAmount(equity)}.${beside}${flows}${simulated ? ' Prices are simulated.' : ''}`;
}

function watchlistAnswer(symbols: readonly string[]): string {
  return symbols.length === 0 ? 'Your watchlist is empty.' : `On your watchlist: ${symbols.join(', ')}.`;
}

/** Maximum number of sales in an answer. `trade-agent gains` lists all sales. */
const MAX_LINES = 10;

const total = z.lazy(() => z.object({ gain: z.string() }));
const gains = z.lazy(() =>
  z.object({
    year: z.string().nullable(),
    gains: z.array(
      z.object({
        symbol: z.string(),
        qty: z.string(),
        sold: z.string(),
        gain: z.string().nullable(),
        adjustment_code: z.string(),
        term: z.string(),
      }),
    ),
    totals: z.object({ all: total, short_term: total, long_term: total }),
    incomplete: z.array(z.string()),
    imported: z.number(),
    left_out: z.number().optional(),
    simulated: z.boolean(),
  }),
);
const figures = z.lazy(() =>
  z.object({
    period: z.enum(periods),
    benchmark: z.object({ symbol: z.string() }),
    ratios: z.object({
      returns_counted: z.number(),
      sharpe: z.string().nullable(),
      sortino: z.string().nullable(),
      beta: z.string().nullable(),
    }),
    dividends_by_month: z.array(z.object({ month: z.string(), amount: z.string() })),
    simulated: z.boolean(),
  }),
);

export function formatFigureAnswer(
  tool: string,
  content: unknown,
  figure: PerformanceFigure | undefined,
): string | undefined {
  if (tool === 'get_realized_gains') return realizedAnswer(gains.parse(content));
  if (tool !== 'get_performance' || figure === undefined) return undefined;
  const data = figures.parse(content);
  const note = data.simulated ? ' Prices are simulated.' : '';
  return `${figure === 'dividends' ? dividendsAnswer(data) : ratioAnswer(data, figure)}${note}`;
}

function realizedAnswer({ year, gains: lines, totals, incomplete, ...data }: z.output<typeof gains>): string {
  const when = year === null ? 'to date' : `in ${year}`;
  const note = [
    ...(data.imported === 0
      ? []
      : [`${data.imported} of the activities were imported; your broker did not report them.`]),
    ...(data.simulated ? ['The account is simulated.'] : []),
  ];
  if (lines.length === 0) return [`Nothing was sold ${when}.`, ...note].join(' ');
  const shown = lines.slice(-MAX_LINES).map(({ symbol, qty, sold, gain, adjustment_code, term }) => {
    const made = gain === null ? 'cost unknown' : formatSignedDollars(gain);
    const wash = adjustment_code === 'W' ? ', wash sale' : '';
    return `- ${sold} ${formatShares(qty)} ${symbol}: ${made} (${term === 'unknown' ? 'holding period unknown' : `${term}-term`}${wash})`;
  });
  const more = lines.length - shown.length + (data.left_out ?? 0);
  return [
    `**${formatSignedDollars(totals.all.gain)}** realized ${when}: short-term ${formatSignedDollars(totals.short_term.gain)}, long-term ${formatSignedDollars(totals.long_term.gain)} (first in, first out).`,
    shown.join('\n'),
    ...(more === 0 ? [] : [`and ${more} earlier; \`trade-agent gains\` lists them all.`]),
    ...(incomplete.length === 0 ? [] : [`The history is incomplete for ${incomplete.join(', ')}.`]),
    ...(note.length === 0 ? [] : [note.join(' ')]),
  ].join('\n\n');
}

function ratioAnswer(
  { period, ratios, benchmark }: z.output<typeof figures>,
  figure: Exclude<PerformanceFigure, 'dividends'>,
): string {
  const value = ratios[figure];
  const by = `${ratios.returns_counted} daily returns ${periodWords[period]}`;
  const name = { sharpe: 'Sharpe ratio', sortino: 'Sortino ratio', beta: `beta to ${benchmark.symbol}` }[figure];
  return value === null
    ? `Your ${name} can't be calculated from ${by}. That requires at least 20 returns, and prices that go back far enough.`
    : `Your ${name} is **${value}**, based on ${by}${figure === 'beta' ? '' : ', with a risk-free rate of 0%'}.`;
}

function dividendsAnswer({ period, dividends_by_month: months }: z.output<typeof figures>): string {
  if (months.length === 0) return `No dividends ${periodWords[period]}.`;
  return [
    `Dividends ${periodWords[period]}, by month:`,
    ...months.map(({ month, amount }) => `- ${month} ${formatDollarAmount(amount)}`),
    '',
  ].join('\n');
}
