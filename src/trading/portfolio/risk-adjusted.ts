import { Dec, ZERO } from '../decimal.ts';
import { Rate } from './value-point.ts';
import { standardDeviation, TRADING_DAYS_PER_YEAR } from './volatility.ts';

/** Converts an annual rate to a daily return: (1 + rate)^(1/252) - 1, as fractions. */
export function dailyRate(annual: Dec): Dec {
  return annual.isZero() ? ZERO : new Rate(annual).plus(1).pow(new Rate(1).div(TRADING_DAYS_PER_YEAR)).minus(1);
}

/**
 * Returns the Sharpe ratio: mean excess return over its sample standard deviation, annualized. Source: William F.
 * Sharpe, "The Sharpe Ratio", Journal of Portfolio Management, Fall 1994 (ex post, eq. 3 to 6).
 * @param periodsAYear pass 1 for a ratio that is not annualized
 * @returns undefined for fewer than two returns or no deviation
 */
export function sharpeRatio(excess: readonly Dec[], periodsAYear = TRADING_DAYS_PER_YEAR): Dec | undefined {
  if (excess.length < 2) return undefined;
  return ratio(mean(excess), standardDeviation(excess), periodsAYear);
}

/**
 * Returns the Sortino ratio: mean return above a target over the downside deviation (root mean square of the shortfalls
 * over all periods), annualized. Source: Rollinger and Hoffman, "Sortino: A 'Sharper' Ratio", Red Rock Capital 2013.
 * @returns undefined for no returns or no shortfall
 */
export function sortinoRatio(excess: readonly Dec[], periodsAYear = TRADING_DAYS_PER_YEAR): Dec | undefined {
  if (excess.length === 0) return undefined;
  const squares = excess.reduce((sum, value) => (value.isNegative() ? sum.plus(value.mul(value)) : sum), ZERO);
  return ratio(mean(excess), new Rate(squares).div(excess.length).sqrt(), periodsAYear);
}

/**
 * Returns the regression beta: covariance with the benchmark over the benchmark's variance. Source: Bacon, Practical
 * Portfolio Performance Measurement and Attribution (2nd ed.), "regression beta".
 * @returns undefined for fewer than two pairs or a constant benchmark
 */
export function beta(pairs: readonly { readonly portfolio: Dec; readonly benchmark: Dec }[]): Dec | undefined {
  if (pairs.length < 2) return undefined;
  const portfolioMean = mean(pairs.map(({ portfolio }) => portfolio));
  const benchmarkMean = mean(pairs.map(({ benchmark }) => benchmark));
  let covariance: Dec = new Rate(0);
  let variance: Dec = new Rate(0);
  for (const { portfolio, benchmark } of pairs) {
    const distance = benchmark.minus(benchmarkMean);
    covariance = covariance.plus(distance.mul(portfolio.minus(portfolioMean)));
    variance = variance.plus(distance.mul(distance));
  }
  return variance.isZero() ? undefined : covariance.div(variance);
}

function mean(values: readonly Dec[]): Dec {
  return new Rate(values.reduce((sum, value) => sum.plus(value), ZERO)).div(values.length);
}

function ratio(mean: Dec, deviation: Dec, periodsAYear: number): Dec | undefined {
  return deviation.isZero() ? undefined : mean.div(deviation).mul(new Dec(periodsAYear).sqrt());
}
