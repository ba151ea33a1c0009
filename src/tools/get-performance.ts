import { z } from 'zod';
import { signedDollars, signedPercent } from '../trading/amounts.ts';
import { type Dec, ZERO } from '../trading/decimal.ts';
import { periods, periodWords } from '../trading/period.ts';
import { portfolioView } from '../trading/portfolio/portfolio-view.ts';
import type { PeriodReturn } from '../trading/portfolio/time-weighted.ts';
import type { Account, Position } from '../trading/views.ts';
import { accountLine } from './account-line.ts';
import { defineTool, requireGateway } from './tool.ts';

/** Days of a line that a model reads well. */
const MOST_POINTS = 100;

export const getPerformance = defineTool({
  name: 'get_performance',
  description:
    'How the account did over a period: profit in dollars less what came in and went out, the time-weighted and the money-weighted return, today’s profit, and what it was worth at the ends of days. Fractions: "0.01" is 1 %.',
  schema: z.strictObject({
    period: z.enum(periods).default('1M').describe('MTD: this month, YTD: this year'),
  }),
  scopes: ['market:read', 'portfolio:read'],
  risk: 'read',
  async execute(context, { period }) {
    const { account, positions, now, equity, returns } = await accountLine(requireGateway(context), period);
    const { line, timeWeighted, moneyWeighted } = returns;
    const first = line[0] ?? { at: now, value: equity };
    const added = line.slice(1).reduce((sum, { flow }) => sum.plus(flow), ZERO);
    const profit = equity.minus(first.value).minus(added);
    return {
      summary: `${signedDollars(profit.toFixed(2))} ${periodWords[period]}${timeWeighted === undefined ? '' : ` (${signedPercent(fraction(timeWeighted.period))} time-weighted)`}`,
      content: JSON.stringify({
        period,
        from: new Date(first.at).toISOString(),
        to: new Date(now).toISOString(),
        equity: account.equity,
        equity_before: first.value.toFixed(2),
        added: added.toFixed(2),
        profit: profit.toFixed(2),
        time_weighted: rates(timeWeighted),
        money_weighted: rates(moneyWeighted),
        // Since the last day's end; without one nothing is known to have come.
        ...standing(account, positions, line.length > 1 ? line.at(-1)?.flow : undefined),
        values: thinned(line, MOST_POINTS).map(({ at, value }) => ({
          at: new Date(at).toISOString(),
          equity: value.toFixed(2),
        })),
        simulated: account.simulated,
      }),
    };
  },
});

/** What it did today, and what is open now. */
function standing(account: Account, positions: readonly Position[], dayFlow: Dec | undefined) {
  const figures = portfolioView(account, positions, { dayFlow });
  return {
    day_profit: figures.day_change,
    day_fraction: figures.day_change_fraction,
    total_profit: figures.total.unrealized,
    total_fraction: figures.total.unrealized_fraction,
    cash_weight: figures.cash_weight,
    market_value: figures.total.value,
    positions: figures.rows.map(({ symbol, day_change, weight }) => ({
      symbol,
      day_profit: day_change,
      weight,
    })),
  };
}

/** Null where no rate says it: money came of nothing, or there is no earlier value. */
function rates(rate: PeriodReturn | undefined) {
  if (rate === undefined) return null;
  return {
    fraction: fraction(rate.period),
    annual: rate.annual === undefined ? null : fraction(rate.annual),
    ...(rate.ended === undefined ? {} : { all_lost: time(rate.ended) }),
    ...(rate.began === undefined ? {} : { began_anew: time(rate.began) }),
  };
}

const time = (at: number) => new Date(at).toISOString();
const fraction = (value: Dec) => value.toDecimalPlaces(6).toFixed();

/** So many of them, evenly, with the first and the last. */
function thinned<T>(points: readonly T[], most: number): T[] {
  if (points.length <= most) return [...points];
  const step = (points.length - 1) / (most - 1);
  return Array.from({ length: most }, (_, at) => points[Math.round(at * step)] as T);
}
