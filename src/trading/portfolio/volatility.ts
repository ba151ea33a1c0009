import { Dec, ZERO } from '../decimal.ts';
import { growthFactors } from './time-weighted.ts';
import { Rate, type ValuePoint } from './value-point.ts';

/** Trading days of a year, the convention by which daily volatility is annualized. */
export const TRADING_DAYS_A_YEAR = 252;

/**
 * Annualized volatility: the sample standard deviation of daily returns times √252, a fraction.
 * Source: Bacon, Practical Portfolio Performance Measurement and Attribution (2nd ed.), "variability".
 * @param factors the points' {@link growthFactors}, where they are known already
 * @returns undefined for fewer than two returns
 */
export function volatility(
  points: readonly ValuePoint[],
  factors: readonly Dec[] | undefined = growthFactors(points),
): Dec | undefined {
  if (factors === undefined || factors.length < 2) return undefined;
  const deviation = standardDeviation(factors);
  return deviation.mul(new Dec(TRADING_DAYS_A_YEAR).sqrt());
}

const NONE = new Rate(0);

/** Of a sample: divided by n - 1. */
export function standardDeviation(values: readonly Dec[]): Dec {
  const mean = new Rate(values.reduce((sum, value) => sum.plus(value), ZERO).div(values.length));
  let squares: Dec = NONE;
  for (const value of values) {
    const distance = mean.minus(value);
    squares = squares.plus(distance.mul(distance));
  }
  return squares.div(values.length - 1).sqrt();
}
