import { Dec, ZERO } from '../decimal.ts';
import { Rate } from './value-point.ts';
import { standardDeviation, TRADING_DAYS_A_YEAR } from './volatility.ts';

/** The return of each day that a year's rate comes to: (1 + rate)^(1/252) - 1. Both are fractions. */
export function dailyRate(annual: Dec): Dec {
  return annual.isZero() ? ZERO : new Rate(annual).plus(1).pow(new Rate(1).div(TRADING_DAYS_A_YEAR)).minus(1);
}

/**
 * Sharpe ratio: the mean of excess returns over their sample standard deviation, times the root of the periods in a year.
 * Source: William F. Sharpe, "The Sharpe Ratio", Journal of Portfolio Management, Fall 1994 (ex post, eq. 3 to 6).
 * @param excess each period's return less what was free of risk (or the benchmark's), fractions
 * @param periodsAYear 252 for daily returns; 1 leaves it as it is
 * @returns undefined for fewer than two returns, or where they never differ
 */
export function sharpeRatio(excess: readonly Dec[], periodsAYear = TRADING_DAYS_A_YEAR): Dec | undefined {
  if (excess.length < 2) return undefined;
  return ratio(meanOf(excess), standardDeviation(excess), periodsAYear);
}

/**
 * Sortino ratio: the mean of the returns above a target over their downside deviation, the root of the mean of the squares
 * of what fell short, every period counted; times the root of the periods in a year. Source: Rollinger and Hoffman,
 * "Sortino: A 'Sharper' Ratio", Red Rock Capital 2013.
 * @param excess each period's return less the target, fractions
 * @returns undefined for no returns, or where none fell short
 */
export function sortinoRatio(excess: readonly Dec[], periodsAYear = TRADING_DAYS_A_YEAR): Dec | undefined {
  if (excess.length === 0) return undefined;
  const squares = excess.reduce(
    (sum, value) => (value.isNegative() ? sum.plus(value.mul(value)) : sum),
    ZERO,
  );
  return ratio(meanOf(excess), new Rate(squares).div(excess.length).sqrt(), periodsAYear);
}

/**
 * Beta: the slope of a regression of the returns on the benchmark's, their covariance over its variance. Source: Bacon,
 * Practical Portfolio Performance Measurement and Attribution (2nd ed.), "regression beta".
 * @param pairs the returns of the same periods, fractions
 * @returns undefined for fewer than two, or where the benchmark never moved
 */
export function beta(
  pairs: readonly { readonly portfolio: Dec; readonly benchmark: Dec }[],
): Dec | undefined {
  if (pairs.length < 2) return undefined;
  const portfolioMean = meanOf(pairs.map(({ portfolio }) => portfolio));
  const benchmarkMean = meanOf(pairs.map(({ benchmark }) => benchmark));
  let covariance: Dec = new Rate(0);
  let variance: Dec = new Rate(0);
  for (const { portfolio, benchmark } of pairs) {
    const distance = benchmark.minus(benchmarkMean);
    covariance = covariance.plus(distance.mul(portfolio.minus(portfolioMean)));
    variance = variance.plus(distance.mul(distance));
  }
  return variance.isZero() ? undefined : covariance.div(variance);
}

function meanOf(values: readonly Dec[]): Dec {
  return new Rate(values.reduce((sum, value) => sum.plus(value), ZERO)).div(values.length);
}

function ratio(mean: Dec, deviation: Dec, periodsAYear: number): Dec | undefined {
  return deviation.isZero() ? undefined : mean.div(deviation).mul(new Dec(periodsAYear).sqrt());
}
