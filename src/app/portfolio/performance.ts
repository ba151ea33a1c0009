import { type Performance, performanceIn } from '../../tools/performance-in.ts';
import type { Period } from '../../trading/period.ts';
import { DEFAULT_BENCHMARK } from '../../trading/portfolio/benchmark.ts';
import type { App } from '../app.ts';

export interface PerformanceOptions {
  readonly period: Period;
  /** A symbol. */
  readonly benchmark?: string | undefined;
  /** A year's rate, a fraction. */
  readonly riskFree: string;
  readonly byPosition: boolean;
}

/** What the account did over a period, beside a benchmark. @throws {TradeAgentError} `login_required`, `unknown_symbol` */
export async function performance(
  app: Pick<App, 'gateway'>,
  { benchmark, ...options }: PerformanceOptions,
): Promise<Performance> {
  return performanceIn(await app.gateway(), {
    ...options,
    benchmark: benchmark ?? DEFAULT_BENCHMARK,
    mustHaveBenchmark: benchmark !== undefined,
  });
}
