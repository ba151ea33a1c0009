import { z } from 'zod';
import { formatSignedDollars, formatSignedPercent } from '../trading/amounts.ts';
import { Dec, decimalString } from '../trading/decimal.ts';
import { symbolSchema } from '../trading/order.ts';
import { periods, periodWords } from '../trading/period.ts';
import { DEFAULT_BENCHMARK } from '../trading/portfolio/benchmark.ts';
import { defineTool, requireGateway } from './tool.ts';

/** A risk-free rate as a fraction. A number above the maximum was probably meant as a percentage. */
export const riskFreeSchema = decimalString.pipe(
  z.string().refine((text) => new Dec(text).abs().lte(1), 'must be a fraction such as 0.04'),
);

export const getPerformance = defineTool({
  name: 'get_performance',
  title: 'Measure your performance',
  description:
    'Returns the account’s performance over a period: profit in dollars without deposits and withdrawals, time-weighted and money-weighted returns, a benchmark’s total return, Sharpe, Sortino, beta, rolling returns, dividends by month, today’s profit, each position’s contribution (by_position), and the account’s value at the end of each day. Fractions: "0.01" is 1%.',
  schema: z.lazy(() =>
    z.strictObject({
      period: z.enum(periods).default('1M').describe('MTD: this month, YTD: this year'),
      benchmark: symbolSchema.optional().describe(`A symbol to compare with; ${DEFAULT_BENCHMARK} if omitted`),
      risk_free: riskFreeSchema.default('0').describe('Annual risk-free rate as a fraction, for Sharpe and Sortino'),
      by_position: z
        .boolean()
        .default(false)
        .describe('Also returns contributions, which add up to the time-weighted return'),
    }),
  ),
  scopes: ['market:read', 'portfolio:read'],
  risk: 'read',
  async execute(context, { period, benchmark, risk_free, by_position }) {
    const { readPerformance } = await import('./performance.ts');
    const found = await readPerformance(requireGateway(context), {
      period,
      benchmark: benchmark ?? DEFAULT_BENCHMARK,
      mustHaveBenchmark: benchmark !== undefined,
      riskFree: risk_free,
      byPosition: by_position,
    });
    const own = found.time_weighted;
    const other = found.benchmark.return;
    return {
      summary: [
        `${formatSignedDollars(found.profit)} ${periodWords[period]}${own === null ? '' : ` (${formatSignedPercent(own.fraction)} time-weighted)`}`,
        ...(other === null ? [] : [`${found.benchmark.symbol} ${formatSignedPercent(other.fraction)}`]),
      ].join(', '),
      content: JSON.stringify(found),
    };
  },
});
