import { z } from 'zod';
import { capitalize } from '../../text/first-letter.ts';
import { type Phrase, phrase, type Say } from '../../text/phrase.ts';
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
import { addDays, newYorkDate, WEEKDAYS, weekday } from '../../trading/new-york-time.ts';
import { periodPhrases, periods } from '../../trading/period.ts';
import type { ActivityFilter, PerformanceFigure } from '../reader/intent.ts';
import { nextHoliday } from './holidays.ts';
import type { ResultView } from './lookup-step.ts';

const calendar = z.lazy(() => z.object({ today: z.string(), days: z.array(tradingDaySchema) }));
const news = z.lazy(() => z.object({ news: z.array(articleSchema), simulated: z.boolean() }));
const activities = z.lazy(() =>
  z.object({
    period: z.enum(periods),
    start: z.string(),
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
  say: Say,
): string | undefined {
  switch (tool) {
    case 'get_calendar':
      return calendarAnswer(calendar.parse(content), day ?? 'tomorrow', say);
    case 'get_corporate_actions':
      return dividendDatesAnswer(actions.parse(content), args, say);
    case 'get_news':
      return newsAnswer(news.parse(content), say);
    case 'get_activities':
      return activitiesAnswer(activities.parse(content), args, only ?? {}, say);
    case 'get_performance':
      return performanceAnswer(performance.parse(content), say);
    case 'get_watchlist':
    case 'set_watchlist':
      return watchlistAnswer(watchlist.parse(content).watchlist.symbols, say);
    default:
      return undefined;
  }
}

function calendarAnswer({ today, days }: z.output<typeof calendar>, asked: string, say: Say): string {
  const holiday = nextHoliday(asked, today);
  const isKnown = holiday === undefined || holiday <= (days.at(-1)?.date ?? '');
  if (asked === 'holidays' || !isKnown) return holidaysAnswer(today, days, say);
  const date = holiday ?? dateOf(asked, today);
  const name =
    asked === 'tomorrow' ? say`tomorrow` : (weekdays[WEEKDAYS.indexOf(asked)] ?? phrase`on that day`).in(say);
  const day = days.find((each) => each.date === date);
  const on = formatDate(date, say.locale);
  if (day !== undefined) return say`Yes, the market is open ${name}, ${on}, ${hoursText(day, say)}.`;
  const next = days.find((each) => each.date > date);
  const closed = say`No, the market is closed ${name}, ${on}.`;
  if (next === undefined) return closed;
  return `${closed} ${say`It next opens on ${formatDate(next.date, say.locale)}, ${hoursText(next, say)}.`}`;
}

/** Weekday names like {@link WEEKDAYS}, but starting with Sunday. */
const weekdays = [
  phrase`on Sunday`,
  phrase`on Monday`,
  phrase`on Tuesday`,
  phrase`on Wednesday`,
  phrase`on Thursday`,
  phrase`on Friday`,
  phrase`on Saturday`,
];

/** Returns tomorrow's date, or the date of a weekday's next occurrence after today. */
function dateOf(asked: string, today: string): string {
  const wanted = WEEKDAYS.indexOf(asked);
  return addDays(today, wanted < 0 ? 1 : ((wanted - weekday(today) + 6) % 7) + 1);
}

const MAX_HOLIDAYS = 6;
const USUAL_CLOSE = '16:00';

/** Lists the weekdays without trading, and those with an early close. */
function holidaysAnswer(today: string, days: z.output<typeof calendar>['days'], say: Say): string {
  const last = days.at(-1)?.date ?? today;
  const found: string[] = [];
  for (let date = today; date <= last && found.length < MAX_HOLIDAYS; date = addDays(date, 1)) {
    const day = days.find((each) => each.date === date);
    const name = dayName(date, say);
    if (day === undefined && weekday(date) % 6 !== 0) found.push(`- ${say`${name}: closed`}`);
    else if (day !== undefined && day.close < USUAL_CLOSE)
      found.push(`- ${say`${name}: closes early, at ${formatTimeOfDay(day.close, say.locale)} New York time`}`);
  }
  return found.length === 0
    ? say`The calendar shows no holidays.`
    : [say`The next days on which the market is closed or closes early:`, ...found].join('\n');
}

/** Formats a date with its weekday: `Fri, Dec 25, 2026`. */
function dayName(date: string, { locale }: Say): string {
  if (locale === undefined) return `${capitalize((WEEKDAYS[weekday(date)] ?? '').slice(0, 3))}, ${formatDate(date)}`;
  return new Intl.DateTimeFormat(locale, { dateStyle: 'full', timeZone: 'UTC' }).format(Date.parse(date));
}

const actions = z.lazy(() =>
  z.object({ today: z.string(), actions: z.array(corporateActionSchema), simulated: z.boolean() }),
);

function dividendDatesAnswer(
  { today, actions: list, simulated }: z.output<typeof actions>,
  { symbols }: Record<string, unknown>,
  say: Say,
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
        : ` ${say`The last was ${formatSharePrice(last.cash ?? '0')} a share on ${formatDate(dayOf(last), say.locale)}.`}`;
    if (next === undefined) return `${say`No dividend of ${symbol} is announced for the next four months.`}${known}`;
    const pays = say`${symbol} pays ${formatSharePrice(next.cash ?? '0')} a share on ${formatDate(dayOf(next), say.locale)}`;
    const { ex_date } = next;
    return `${ex_date === null ? `${pays}.` : say`${pays}, ex-dividend on ${formatDate(ex_date, say.locale)}.`}${known}`;
  });
  return [...lines, ...(simulated ? [say`The dates are simulated.`] : [])].join(' ');
}

const kindNames: Readonly<Record<string, Phrase>> = {
  fill: phrase`trades`,
  dividend: phrase`dividends`,
  fee: phrase`fees`,
};

const hoursText = ({ open, close }: { open: string; close: string }, say: Say) =>
  say`from ${formatTimeOfDay(open, say.locale)} to ${formatTimeOfDay(close, say.locale)} New York time`;

function newsAnswer({ news: list, simulated }: z.output<typeof news>, say: Say): string {
  if (list.length === 0) return say`There is no news.`;
  const lines = list.map(
    ({ headline, source, at }) =>
      `- ${stripMarkdown(headline)} (${stripMarkdown(source)}, ${formatDate(at.slice(0, 10), say.locale)})`,
  );
  return [...lines, ...(simulated ? ['', say`The news is simulated.`] : [])].join('\n');
}

function stripMarkdown(text: string): string {
  return text.replace(/[[\]<>`*_|\\!#~]/g, '');
}

function activitiesAnswer(
  { period, start, activities: all, left_out, simulated }: z.output<typeof activities>,
  { kinds }: Record<string, unknown>,
  only: ActivityFilter,
  say: Say,
): string {
  const kind = Array.isArray(kinds) && kinds.length === 1 ? String(kinds[0]) : undefined;
  const note = simulated ? say`The account is simulated.` : '';
  const { side, symbol: of } = only;
  const date = only.day === undefined ? undefined : dayBefore(only.day, addDays(start, 7));
  const list = all.filter(
    (one) => isWanted(one, only) && (date === undefined || newYorkDate(Date.parse(one.at)) === date),
  );
  const when = periodText(period, only, say);
  const traded = side === undefined ? undefined : { buy: phrase`purchases`, sell: phrase`sales` }[side];
  const what = (traded ?? kindNames[kind ?? ''] ?? phrase`activities`).in(say);
  const about = of === undefined ? what : say`${what} of ${of}`;
  if (list.length === 0) return [say`No ${about} ${when}.`, ...(note === '' ? [] : [note])].join(' ');
  const amounts = list.flatMap(({ amount }) => (amount === null ? [] : [amount]));
  const total = formatDollarAmount(
    Dec.sum(0, ...amounts)
      .abs()
      .toFixed(2),
  );
  return [
    kind === 'dividend' || kind === 'fee' ? say`**${total}** in ${about} ${when}.` : say`Your ${about} ${when}:`,
    list.map((one) => activityLine(one, say)).join('\n'),
    ...(left_out === undefined ? [] : [say`and ${left_out} more.`]),
    ...(note === '' ? [] : [note]),
  ].join('\n\n');
}

const isWanted = ({ side, symbol, at }: ActivityRow, only: ActivityFilter) =>
  (only.side === undefined || side === only.side) &&
  (only.symbol === undefined || symbol === only.symbol) &&
  (only.year === undefined || at.startsWith(only.year)) &&
  (only.month === undefined || at.slice(5, 7) === only.month);

/** Returns yesterday's date, or the date of the last such weekday before today. */
const dayBefore = (day: string, today: string) =>
  addDays(today, day === 'yesterday' ? -1 : -(((weekday(today) - WEEKDAYS.indexOf(day) + 6) % 7) + 1));

function periodText(period: keyof typeof periodPhrases, { year, month, day }: ActivityFilter, say: Say): string {
  if (day === 'yesterday') return say`yesterday`;
  if (day !== undefined) return (weekdays[WEEKDAYS.indexOf(day)] ?? phrase`on that day`).in(say);
  const named = [month === undefined ? undefined : monthName(month, say), year].filter((part) => part !== undefined);
  return (named.length === 0 ? periodPhrases[period] : phrase`in ${named.join(' ')}`).in(say);
}

const monthName = (month: string, { locale }: Say) =>
  new Intl.DateTimeFormat(locale ?? 'en-US', { month: 'long', timeZone: 'UTC' }).format(
    Date.UTC(2000, Number(month) - 1),
  );

type ActivityRow = z.output<typeof activities>['activities'][number];

function activityLine({ at, kind, symbol, side, qty, price, amount, imported }: ActivityRow, say: Say): string {
  const date = formatDate(at.slice(0, 10), say.locale);
  const from = imported === true ? ` ${say`(imported)`}` : '';
  if (kind === 'fill' && qty !== null && price !== null) {
    const what = `${formatShares(qty)} ${symbol}`;
    const each = formatSharePrice(price);
    return `- ${side === 'buy' ? say`${date}: bought ${what} at ${each}` : say`${date}: sold ${what} at ${each}`}${from}`;
  }
  const name = Object.hasOwn(activityNames, kind) ? (activityNames[kind] ?? phrase`${kind}`).in(say) : kind;
  return `- ${date}: ${name}${symbol === null ? '' : ` ${symbol}`}${amount === null ? '' : ` ${formatSignedDollars(amount)}`}${from}`;
}

const activityNames: Readonly<Record<string, Phrase>> = {
  fill: phrase`fill`,
  dividend: phrase`dividend`,
  fee: phrase`fee`,
  deposit: phrase`deposit`,
  withdrawal: phrase`withdrawal`,
  interest: phrase`interest`,
};

function performanceAnswer(figures: z.output<typeof performance>, say: Say): string {
  const { period, profit, added, equity, time_weighted, money_weighted, benchmark, simulated } = figures;
  const rates = [
    ...(time_weighted === null ? [] : [say`${formatSignedPercent(time_weighted.fraction)} time-weighted`]),
    ...(money_weighted === null ? [] : [say`${formatSignedPercent(money_weighted.fraction)} money-weighted`]),
  ].join(', ');
  const made = say`${formatSignedDollars(profit)} ${periodPhrases[period]}`;
  const compared =
    benchmark.return === null
      ? []
      : [
          say`${stripMarkdown(benchmark.symbol)} returned ${formatSignedPercent(benchmark.return.fraction)} with dividends.`,
        ];
  return [
    say`${rates === '' ? made : `${made} (${rates})`}; equity ${formatDollarAmount(equity)}.`,
    ...compared,
    ...(Number(added) === 0 ? [] : [say`Deposits minus withdrawals were ${formatSignedDollars(added)}.`]),
    ...(simulated ? [say`Prices are simulated.`] : []),
  ].join(' ');
}

function watchlistAnswer(symbols: readonly string[], say: Say): string {
  return symbols.length === 0 ? say`Your watchlist is empty.` : say`On your watchlist: ${symbols.join(', ')}.`;
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

export function formatFigureAnswer(tool: string, content: unknown, view: ResultView, say: Say): string | undefined {
  if (tool === 'get_realized_gains') return realizedAnswer(gains.parse(content), view, say);
  const { figure } = view;
  if (tool !== 'get_performance' || figure === undefined) return undefined;
  const data = figures.parse(content);
  const note = data.simulated ? ` ${say`Prices are simulated.`}` : '';
  if (figure === 'best' || figure === 'worst') return `${contributionAnswer(data, figure, say)}${note}`;
  return `${figure === 'dividends' ? dividendsAnswer(data, say) : ratioAnswer(data, figure, say)}${note}`;
}

function realizedAnswer(
  { year, gains: all, totals, incomplete, ...data }: z.output<typeof gains>,
  { symbol: of, onlyWashSales }: ResultView,
  say: Say,
): string {
  const when = year === null ? say`to date` : say`in ${year}`;
  const note = [
    ...(data.imported === 0
      ? []
      : [say`${data.imported} of the activities were imported; your broker did not report them.`]),
    ...(data.simulated ? [say`The account is simulated.`] : []),
  ];
  const lines = all.filter(
    (line) => (of === undefined || line.symbol === of) && (onlyWashSales === undefined || line.adjustment_code === 'W'),
  );
  if (onlyWashSales && lines.length === 0) return [say`No sale ${when} is a known wash sale.`, ...note].join(' ');
  if (lines.length === 0) {
    const none = of === undefined ? say`Nothing was sold ${when}.` : say`Nothing of ${of} was sold ${when}.`;
    return [none, ...note].join(' ');
  }
  const shown = lines.slice(-MAX_LINES).map(({ symbol, qty, sold, gain, adjustment_code, term }) => {
    const made = gain === null ? say`cost unknown` : formatSignedDollars(gain);
    const wash = adjustment_code === 'W' ? `, ${say`wash sale`}` : '';
    return `- ${sold} ${formatShares(qty)} ${symbol}: ${made} (${termWord(term, say)}${wash})`;
  });
  const more = lines.length - shown.length + (data.left_out ?? 0);
  return [
    realizedLead(lines, when, { of, onlyWashSales }, say) ??
      say`**${formatSignedDollars(totals.all.gain)}** realized ${when}: short-term ${formatSignedDollars(totals.short_term.gain)}, long-term ${formatSignedDollars(totals.long_term.gain)} (first in, first out).`,
    shown.join('\n'),
    ...(more === 0 ? [] : [say`and ${more} earlier; \`trade-agent gains\` lists them all.`]),
    ...(incomplete.length === 0 ? [] : [say`The history is incomplete for ${incomplete.join(', ')}.`]),
    ...(note.length === 0 ? [] : [note.join(' ')]),
  ].join('\n\n');
}

const termWord = (term: string, say: Say) =>
  term === 'unknown' ? say`holding period unknown` : term === 'long' ? say`long-term` : say`short-term`;

/** Returns the first sentence of an answer about some of the sales: wash sales, or the sales of one asset. */
function realizedLead(
  lines: readonly { readonly gain: string | null }[],
  when: string,
  { of, onlyWashSales }: { of: string | undefined; onlyWashSales: true | undefined },
  say: Say,
): string | undefined {
  const count = lines.length;
  if (onlyWashSales)
    return count === 1
      ? say`**${count}** of the sales ${when} is a wash sale.`
      : say`**${count}** of the sales ${when} are wash sales.`;
  if (of === undefined) return undefined;
  const sum = Dec.sum(0, ...lines.map(({ gain }) => gain ?? '0'));
  return say`**${formatSignedDollars(sum.toFixed(2))}** realized ${when} with ${of} (first in, first out).`;
}

/** Answers which positions contributed most. They are sorted by their contribution, largest first. */
function contributionAnswer(
  { period, contributions }: z.output<typeof figures>,
  figure: 'best' | 'worst',
  say: Say,
): string {
  const list = contributions?.positions ?? [];
  const sorted = figure === 'best' ? list : list.toReversed();
  const [first] = sorted;
  const when = periodPhrases[period];
  if (first === undefined) return say`You had no positions ${when}.`;
  const profit = formatSignedDollars(first.profit);
  const lines = sorted.map(
    ({ symbol, profit: made, contribution }) =>
      `- ${say`${symbol}: ${formatSignedDollars(made)} (${formatSignedPercent(contribution)} of the account’s return)`}`,
  );
  const lead =
    figure === 'best'
      ? say`Your best position ${when} was **${first.symbol}**: ${profit}.`
      : say`Your worst position ${when} was **${first.symbol}**: ${profit}.`;
  return [lead, '', ...lines, ''].join('\n');
}

function ratioAnswer(
  { period, ratios, benchmark }: z.output<typeof figures>,
  figure: Exclude<PerformanceFigure, 'dividends' | 'best' | 'worst'>,
  say: Say,
): string {
  const value = ratios[figure];
  const by = say`${ratios.returns_counted} daily returns ${periodPhrases[period]}`;
  const name = {
    sharpe: phrase`Sharpe ratio`,
    sortino: phrase`Sortino ratio`,
    beta: phrase`beta to ${benchmark.symbol}`,
  }[figure];
  if (value === null)
    return say`Your ${name} can't be calculated from ${by}. That requires at least 20 returns, and prices that go back far enough.`;
  return figure === 'beta'
    ? say`Your ${name} is **${value}**, based on ${by}.`
    : say`Your ${name} is **${value}**, based on ${by}, with a risk-free rate of 0%.`;
}

function dividendsAnswer({ period, dividends_by_month: months }: z.output<typeof figures>, say: Say): string {
  const when = periodPhrases[period];
  if (months.length === 0) return say`No dividends ${when}.`;
  return [
    say`Dividends ${when}, by month:`,
    ...months.map(({ month, amount }) => `- ${month} ${formatDollarAmount(amount)}`),
    '',
  ].join('\n');
}
