import { Dec } from '../decimal.ts';
import { growthFactors } from './time-weighted.ts';
import type { ValuePoint } from './value-point.ts';

/** Trading days of a year, the convention by which daily volatility is annualized. */
export const TRADING_DAYS_A_YEAR = 252;

/**
 * Annualized volatility: the sample standard deviation of daily returns times √252, a fraction.
 * Source: Bacon, Practical Portfolio Performance Measurement and Attribution (2nd ed.), "variability".
 * @returns undefined for fewer than two returns
 */
export function volatility(points: readonly ValuePoint[]): Dec | undefined {
  const factors = growthFactors(points);
  if (factors === undefined || factors.length < 2) return undefined;
  const deviation = standardDeviation(factors);
  return deviation.mul(new Dec(TRADING_DAYS_A_YEAR).sqrt());
}

/** Of a sample: divided by n - 1. */
export function standardDeviation(values: readonly Dec[]): Dec {
  const mean = values.reduce((sum, value) => sum.plus(value), new Dec(0)).div(values.length);
  const squares = values.reduce((sum, value) => {
    const distance = value.minus(mean);
    return sum.plus(distance.mul(distance));
  }, new Dec(0));
  return squares.div(values.length - 1).sqrt();
}
