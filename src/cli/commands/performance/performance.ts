import { InvalidArgumentError } from 'commander';
import { sessionExitCodes } from '../../../app/exit-codes.ts';
import { riskFreeSchema } from '../../../tools/get-performance.ts';
import { readPerformance } from '../../../tools/performance.ts';
import { Dec } from '../../../trading/decimal.ts';
import { symbolSchema } from '../../../trading/order.ts';
import { type Period, periods } from '../../../trading/period.ts';
import { DEFAULT_BENCHMARK } from '../../../trading/portfolio/benchmark.ts';
import type { CliCommand } from '../../context/cli-command.ts';
import { createChoiceOption } from '../../options/choice.ts';

interface Options {
  readonly period: Period;
  readonly benchmark?: string;
  readonly riskFree: string;
  readonly byPosition?: boolean;
}

export function addPerformanceCommand(program: CliCommand): void {
  program
    .command('performance')
    .description(
      'show your returns and a benchmark: time- and money-weighted, Sharpe, Sortino, beta, rolling returns, dividends by month (see docs/reference/METRICS.md)',
    )
    .addOption(
      createChoiceOption(
        '--period <period>',
        'how far back; MTD and YTD mean this month and this year',
        periods,
      ).default('YTD'),
    )
    .option('--benchmark <symbol>', 'the benchmark, by total return (default: SPY)', parseSymbol)
    .option('--risk-free <rate>', 'annual risk-free rate for Sharpe and Sortino, such as 4% or 0.04', parseRate, '0')
    .option('--by-position', 'show the contribution of each position (one request each)')
    .examples(
      ['trade-agent performance --period 1Y', 'the last year, compared with SPY'],
      ['trade-agent performance --benchmark QQQ --by-position', 'this year, by position'],
      ['trade-agent performance --output json | jq -r .ratios.sharpe', 'for scripts'],
    )
    .exits(...sessionExitCodes)
    .runs(async (context, { period, benchmark, riskFree, byPosition }: Options) => {
      const found = await readPerformance(await context.gateway(), {
        period,
        benchmark: benchmark ?? DEFAULT_BENCHMARK,
        mustHaveBenchmark: benchmark !== undefined,
        riskFree,
        byPosition: byPosition === true,
      });
      await context.output.result('performance', { ...found }, async () =>
        (await import('../../text/performance-text.ts')).performanceText(found),
      );
    });
}

function parseSymbol(text: string): string {
  const symbol = symbolSchema.safeParse(text);
  if (symbol.success) return symbol.data;
  throw new InvalidArgumentError('Use a ticker symbol such as SPY.');
}

function parseRate(text: string): string {
  const percent = /^(-?\d+(?:\.\d+)?)%$/.exec(text)?.[1];
  const rate = riskFreeSchema.safeParse(percent === undefined ? text : new Dec(percent).div(100).toFixed());
  if (rate.success) return rate.data;
  throw new InvalidArgumentError('Use a rate such as 4% or 0.04.');
}
