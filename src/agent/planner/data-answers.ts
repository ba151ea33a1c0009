import { z } from 'zod';
import { capitalize } from '../../text/first-letter.ts';
import { activitySchema, tradingDaySchema } from '../../trading/activity.ts';
import {
  formatDollarAmount,
  formatSharePrice,
  formatShares,
  formatSignedDollars,
  formatSignedPercent,
} from '../../trading/amounts.ts';
import { formatDate, formatTimeOfDay } from '../../trading/date-words.ts';
import { Dec } from '../../trading/decimal.ts';
import { articleSchema, corporateActionSchema } from '../../trading/market-news.ts';
import { addDays, WEEKDAYS, weekday } from '../../trading/new-york-time.ts';
import { periods, periodWords } from '../../trading/period.ts';
import type { ActivityFilter, PerformanceFigure } from '../reader/intent.ts';
import type { ResultView } from './steps.ts';

const calendar = z.lazy(() => z.object({ today: z.string(), days: z.array(tradingDaySchema) }));
const news = z.lazy(() => z.object({ news: z.array(articleSchema), simulated: z.boolean() }));
const activities = z.lazy(() =>
  z.object({
    period: z.enum(periods),
    activities: z.array(activitySchema),
    left_out: z.number().optional(),
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

export function formatDataAnswer(
  tool: string,
  args: Record<string, unknown>,
  content: unknown,
  { only, day }: ResultView,
): string | undefined {
  switch (tool) {
    case 'get_calendar':
      return calendarAnswer(calendar.parse(content), day ?? 'tomorrow');
    case 'get_corporate_actions':
      return dividendDatesAnswer(actions.parse(content), args);
    case 'get_news':
      return newsAnswer(news.parse(content));
    case 'get_activities':
      return activitiesAnswer(activities.parse(content), args, only ?? {});
    case 'get_performance':
      return performanceAnswer(performance.parse(content));
    case 'get_watchlist':
    case 'set_watchlist':
      return watchlistAnswer(watchlist.parse(content).watchlist.symbols);
    default:
      return undefined;
  }
}

function calendarAnswer({ today, days }: z.output<typeof calendar>, asked: string): string {
  if (asked === 'holidays') return holidaysAnswer(today, days);
  const date = dateOf(asked, today);
  const name = asked === 'tomorrow' ? 'tomorrow' : `on ${capitalize(asked)}`;
  const day = days.find((each) => each.date === date);
  if (day !== undefined) {
    return `Yes, the market is open ${name}, ${formatDate(date)}, ${hoursText(day)}.`;
  }
  const next = days.find((each) => each.date > date);
  const then = next === undefined ? '' : ` It next opens on ${formatDate(next.date)}, ${hoursText(next)}.`;
  return `No, the market is closed ${name}, ${formatDate(date)}.${then}`;
}

/** Returns tomorrow, or the next such weekday after today. */
function dateOf(asked: string, today: string): string {
  const wanted = WEEKDAYS.indexOf(asked);
  return addDays(today, wanted < 0 ? 1 : ((wanted - weekday(today) + 6) % 7) + 1);
}

const MAX_HOLIDAYS = 6;
const USUAL_CLOSE = '16:00';

/** Lists the weekdays without trading, and those on which it ends early. */
function holidaysAnswer(today: string, days: z.output<typeof calendar>['days']): string {
  const last = days.at(-1)?.date ?? today;
  const found: string[] = [];
  for (let date = today; date <= last && found.length < MAX_HOLIDAYS; date = addDays(date, 1)) {
    const day = days.find((each) => each.date === date);
    const name = `${capitalize((WEEKDAYS[weekday(date)] ?? '').slice(0, 3))}, ${formatDate(date)}`;
    if (day === undefined && weekday(date) % 6 !== 0) found.push(`- ${name}: closed`);
    else if (day !== undefined && day.close < USUAL_CLOSE)
      found.push(`- ${name}: closes early, at ${formatTimeOfDay(day.close)} New York time`);
  }
  return found.length === 0
    ? 'The calendar shows no holidays.'
    : ['The next days on which the market is closed or closes early:', ...found].join('\n');
}

const actions = z.lazy(() =>
  z.object({ today: z.string(), actions: z.array(corporateActionSchema), simulated: z.boolean() }),
);

function dividendDatesAnswer(
  { today, actions: list, simulated }: z.output<typeof actions>,
  { symbols }: Record<string, unknown>,
): string {
  const paid = list.filter(({ kind, cash }) => kind.includes('dividend') && cash !== null);
  const dayOf = ({ payable_date, ex_date, process_date }: (typeof paid)[number]) =>
    payable_date ?? ex_date ?? process_date;
  const lines = (Array.isArray(symbols) ? symbols.map(String) : []).map((symbol) => {
    const own = paid.filter((one) => one.symbol === symbol);
    const next = own.find((one) => dayOf(one) >= today);
    const last = own.findLast((one) => dayOf(one) < today);
    const known =
      last === undefined
        ? ''
        : ` The last was ${formatSharePrice(last.cash ?? '0')} a share on ${formatDate(dayOf(last))}.`;
    if (next === undefined) return `No dividend of ${symbol} is announced for the next four months.${known}`;
    const ex = next.ex_date === null ? '' : `, ex-dividend on ${formatDate(next.ex_date)}`;
    return `${symbol} pays ${formatSharePrice(next.cash ?? '0')} a share on ${formatDate(dayOf(next))}${ex}.${known}`;
  });
  return [...lines, ...(simulated ? ['The dates are simulated.'] : [])].join(' ');
}

const kindNames: Readonly<Record<string, string>> = { fill: 'trades', dividend: 'dividends', fee: 'fees' };

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
  { period, activities: all, left_out, simulated }: z.output<typeof activities>,
  { kinds }: Record<string, unknown>,
  { side, symbol: of, year }: ActivityFilter,
): string {
  const kind = Array.isArray(kinds) && kinds.length === 1 ? String(kinds[0]) : undefined;
  const note = simulated ? ' The account is simulated.' : '';
  const list = all.filter(
    (one) =>
      (side === undefined || one.side === side) &&
      (of === undefined || one.symbol === of) &&
      (year === undefined || one.at.startsWith(year)),
  );
  const when = year === undefined ? periodWords[period] : `in ${year}`;
  const named = `${(side === undefined ? undefined : { buy: 'purchases', sell: 'sales' }[side]) ?? kindNames[kind ?? ''] ?? 'activities'}${of === undefined ? '' : ` of ${of}`}`;
  if (list.length === 0) return `No ${named} ${when}.${note}`;
  const amounts = list.flatMap(({ amount }) => (amount === null ? [] : [amount]));
  const total = Dec.sum(0, ...amounts).abs();
  const sum =
    kind === 'dividend' || kind === 'fee' ? `**${formatDollarAmount(total.toFixed(2))}** in ${named} ${when}.` : '';
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
    contributions: z
      .object({ positions: z.array(z.object({ symbol: z.string(), profit: z.string(), contribution: z.string() })) })
      .optional(),
    dividends_by_month: z.array(z.object({ month: z.string(), amount: z.string() })),
    simulated: z.boolean(),
  }),
);

export function formatFigureAnswer(tool: string, content: unknown, view: ResultView): string | undefined {
  if (tool === 'get_realized_gains') return realizedAnswer(gains.parse(content), view);
  const { figure } = view;
  if (tool !== 'get_performance' || figure === undefined) return undefined;
  const data = figures.parse(content);
  const note = data.simulated ? ' Prices are simulated.' : '';
  if (figure === 'best' || figure === 'worst') return `${contributionAnswer(data, figure)}${note}`;
  return `${figure === 'dividends' ? dividendsAnswer(data) : ratioAnswer(data, figure)}${note}`;
}

function realizedAnswer(
  { year, gains: all, totals, incomplete, ...data }: z.output<typeof gains>,
  { symbol: of, onlyWashSales }: ResultView,
): string {
  const when = year === null ? 'to date' : `in ${year}`;
  const note = [
    ...(data.imported === 0
      ? []
      : [`${data.imported} of the activities were imported; your broker did not report them.`]),
    ...(data.simulated ? ['The account is simulated.'] : []),
  ];
  const lines = all.filter(
    (line) => (of === undefined || line.symbol === of) && (onlyWashSales === undefined || line.adjustment_code === 'W'),
  );
  if (onlyWashSales && lines.length === 0) return [`No sale ${when} is a known wash sale.`, ...note].join(' ');
  if (lines.length === 0) return [`Nothing${of === undefined ? '' : ` of ${of}`} was sold ${when}.`, ...note].join(' ');
  const shown = lines.slice(-MAX_LINES).map(({ symbol, qty, sold, gain, adjustment_code, term }) => {
    const made = gain === null ? 'cost unknown' : formatSignedDollars(gain);
    const wash = adjustment_code === 'W' ? ', wash sale' : '';
    return `- ${sold} ${formatShares(qty)} ${symbol}: ${made} (${term === 'unknown' ? 'holding period unknown' : `${term}-term`}${wash})`;
  });
  const more = lines.length - shown.length + (data.left_out ?? 0);
  return [
    realizedLead(lines, when, { of, onlyWashSales }) ??
      `**${formatSignedDollars(totals.all.gain)}** realized ${when}: short-term ${formatSignedDollars(totals.short_term.gain)}, long-term ${formatSignedDollars(totals.long_term.gain)} (first in, first out).`,
    shown.join('\n'),
    ...(more === 0 ? [] : [`and ${more} earlier; \`trade-agent gains\` lists them all.`]),
    ...(incomplete.length === 0 ? [] : [`The history is incomplete for ${incomplete.join(', ')}.`]),
    ...(note.length === 0 ? [] : [note.join(' ')]),
  ].join('\n\n');
}

/** Returns the first sentence about a part of the sales. */
function realizedLead(
  lines: readonly { readonly gain: string | null }[],
  when: string,
  { of, onlyWashSales }: { of: string | undefined; onlyWashSales: true | undefined },
): string | undefined {
  if (onlyWashSales)
    return `**${lines.length}** of the sales ${when} ${lines.length === 1 ? 'is a wash sale' : 'are wash sales'}.`;
  if (of === undefined) return undefined;
  const sum = Dec.sum(0, ...lines.map(({ gain }) => gain ?? '0'));
  return `**${formatSignedDollars(sum.toFixed(2))}** realized ${when} with ${of} (first in, first out).`;
}

/** The positions are sorted by their contribution, largest first. */
function contributionAnswer({ period, contributions }: z.output<typeof figures>, figure: 'best' | 'worst'): string {
  const list = contributions?.positions ?? [];
  const sorted = figure === 'best' ? list : list.toReversed();
  const [first] = sorted;
  if (first === undefined) return `You had no positions ${periodWords[period]}.`;
  const lines = sorted.map(
    ({ symbol, profit, contribution }) =>
      `- ${symbol}: ${formatSignedDollars(profit)} (${formatSignedPercent(contribution)} of the account’s return)`,
  );
  return [
    `Your ${figure} position ${periodWords[period]} was **${first.symbol}**: ${formatSignedDollars(first.profit)}.`,
    '',
    ...lines,
    '',
  ].join('\n');
}

function ratioAnswer(
  { period, ratios, benchmark }: z.output<typeof figures>,
  figure: Exclude<PerformanceFigure, 'dividends' | 'best' | 'worst'>,
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
