import { Dec, ZERO } from '../decimal.ts';
import { growthFactors } from './time-weighted.ts';
import { Rate, type ValuePoint } from './value-point.ts';

export const TRADING_DAYS_PER_YEAR = 252;

/**
 * Returns the annualized volatility: sample standard deviation of daily returns × √252. Source: Bacon (2nd ed.),
 * "variability".
 * @param factors the points' {@link growthFactors}, if known
 * @returns undefined for fewer than two returns
 */
export function volatility(
  points: readonly ValuePoint[],
  factors: readonly Dec[] | undefined = growthFactors(points),
): Dec | undefined {
  if (factors === undefined || factors.length < 2) return undefined;
  const deviation = standardDeviation(factors);
  return deviation.mul(new Dec(TRADING_DAYS_PER_YEAR).sqrt());
}

const NONE = new Rate(0);

export function standardDeviation(values: readonly Dec[]): Dec {
  const mean = new Rate(values.reduce((sum, value) => sum.plus(value), ZERO).div(values.length));
  let squares: Dec = NONE;
  for (const value of values) {
    const distance = mean.minus(value);
    squares = squares.plus(distance.mul(distance));
  }
  return squares.div(values.length - 1).sqrt();
}
