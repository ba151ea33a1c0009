import { z } from 'zod';
import { dollars, shares, signedDollars } from '../../trading/amounts.ts';
import { periods, periodWords } from '../../trading/period.ts';
import type { PerformanceFigure } from './intent.ts';

/** Lines of an answer; `trade-agent gains` has all. */
const MOST = 10;

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

export function figureAnswer(
  tool: string,
  content: unknown,
  figure: PerformanceFigure | undefined,
): string | undefined {
  if (tool === 'get_realized_gains') return realized(gains.parse(content));
  if (tool !== 'get_performance' || figure === undefined) return undefined;
  const told = figures.parse(content);
  const note = told.simulated ? ' Prices are simulated.' : '';
  return `${figure === 'dividends' ? byMonth(told) : ratio(told, figure)}${note}`;
}

function realized({ year, gains: lines, totals, incomplete, ...told }: z.output<typeof gains>): string {
  const when = year === null ? 'in all' : `in ${year}`;
  const note = [
    ...(told.imported === 0
      ? []
      : [`${told.imported} of the activities were imported: the broker never told of them.`]),
    ...(told.simulated ? ['The account is simulated.'] : []),
  ];
  if (lines.length === 0) return [`Nothing was sold ${when}.`, ...note].join(' ');
  const shown = lines.slice(-MOST).map(({ symbol, qty, sold, gain, adjustment_code, term }) => {
    const made = gain === null ? 'of unknown cost' : signedDollars(gain);
    const wash = adjustment_code === 'W' ? ', wash sale' : '';
    return `- ${sold} ${shares(qty)} ${symbol}: ${made} (${term === 'unknown' ? 'of unknown age' : `${term}-term`}${wash})`;
  });
  const more = lines.length - shown.length + (told.left_out ?? 0);
  return [
    `**${signedDollars(totals.all.gain)}** realized ${when}: short-term ${signedDollars(totals.short_term.gain)}, long-term ${signedDollars(totals.long_term.gain)}; the oldest shares first.`,
    shown.join('\n'),
    ...(more === 0 ? [] : [`and ${more} earlier; \`trade-agent gains\` has all.`]),
    ...(incomplete.length === 0 ? [] : [`The history is incomplete for ${incomplete.join(', ')}.`]),
    ...(note.length === 0 ? [] : [note.join(' ')]),
  ].join('\n\n');
}

function ratio(
  { period, ratios, benchmark }: z.output<typeof figures>,
  figure: Exclude<PerformanceFigure, 'dividends'>,
): string {
  const value = ratios[figure];
  const by = `by ${ratios.returns_counted} daily returns ${periodWords[period]}`;
  const name = { sharpe: 'Sharpe ratio', sortino: 'Sortino ratio', beta: `beta to ${benchmark.symbol}` }[
    figure
  ];
  return value === null
    ? `Your ${name} is not known, ${by}: that takes twenty at least, and prices that reach back so far.`
    : `Your ${name} is **${value}**, ${by}${figure === 'beta' ? '' : ', above a risk-free rate of nothing'}.`;
}

function byMonth({ period, dividends_by_month: months }: z.output<typeof figures>): string {
  if (months.length === 0) return `No dividends ${periodWords[period]}.`;
  return [
    `Dividends ${periodWords[period]}, as booked:`,
    ...months.map(({ month, amount }) => `- ${month} ${dollars(amount)}`),
    '',
  ].join('\n');
}
