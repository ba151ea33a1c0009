import { z } from 'zod';
import { signedDollars, signedPercent } from '../trading/amounts.ts';
import { Dec, decimalString } from '../trading/decimal.ts';
import { symbolSchema } from '../trading/order.ts';
import { periods, periodWords } from '../trading/period.ts';
import { DEFAULT_BENCHMARK } from '../trading/portfolio/benchmark.ts';
import { defineTool, requireGateway } from './tool.ts';

/** A larger rate was probably meant as percent. */
export const riskFreeSchema = decimalString.pipe(
  z.string().refine((text) => new Dec(text).abs().lte(1), 'must be a fraction such as 0.04'),
);

export const getPerformance = defineTool({
  name: 'get_performance',
  description:
    'How the account did over a period: profit in dollars less what came in and went out, the time-weighted and the money-weighted return beside a benchmark’s total return, Sharpe, Sortino, beta, rolling returns, dividends by month, today’s profit, what each position contributed (by_position), and what it was worth at the ends of days. Fractions: "0.01" is 1 %.',
  schema: z.lazy(() =>
    z.strictObject({
      period: z.enum(periods).default('1M').describe('MTD: this month, YTD: this year'),
      benchmark: symbolSchema
        .optional()
        .describe(`A symbol to compare with; ${DEFAULT_BENCHMARK} where left out`),
      risk_free: riskFreeSchema.default('0').describe('A year’s rate, a fraction, for Sharpe and Sortino'),
      by_position: z
        .boolean()
        .default(false)
        .describe('Contributions too; they add up to the time-weighted return'),
    }),
  ),
  scopes: ['market:read', 'portfolio:read'],
  risk: 'read',
  async execute(context, { period, benchmark, risk_free, by_position }) {
    const { performanceIn } = await import('./performance-in.ts');
    const found = await performanceIn(requireGateway(context), {
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
        `${signedDollars(found.profit)} ${periodWords[period]}${own === null ? '' : ` (${signedPercent(own.fraction)} time-weighted)`}`,
        ...(other === null ? [] : [`${found.benchmark.symbol} ${signedPercent(other.fraction)}`]),
      ].join(', '),
      content: JSON.stringify(found),
    };
  },
});
