import { Dec, isPositive } from '../decimal.ts';
import { DAY_MS, DAYS_A_YEAR, Rate, SHORTEST_ANNUALIZED_DAYS, type ValuePoint } from './value-point.ts';

/** A return over a period. Fractions: 0.05 is 5 %. */
export interface PeriodReturn {
  readonly period: Dec;
  /** A year's rate; undefined for less than a year. */
  readonly annual: Dec | undefined;
  /** Days, with their fraction. */
  readonly days: number;
}

const ONE = new Rate(1);
const isNegative = (value: Dec) => value.isNegative() && !value.isZero();

/**
 * What each stretch multiplied the money by: V(i) / (V(i-1) + F(i)). A stretch without any money in it multiplies by
 * one; undefined where money came of nothing, or of less, since no rate says that.
 */
export function growthFactors(points: readonly ValuePoint[]): Dec[] | undefined {
  const factors: Dec[] = [];
  for (let i = 1; i < points.length; i++) {
    const before = points[i - 1] as ValuePoint;
    const { value, flow } = points[i] as ValuePoint;
    const base = before.value.plus(flow);
    if (isPositive(base) && !isNegative(value)) factors.push(new Rate(value).div(base));
    else if (base.isZero() && value.isZero()) factors.push(ONE);
    else return undefined;
  }
  return factors;
}

/**
 * Time-weighted return: the stretches between flows, linked. Deposits and withdrawals leave it as it is.
 * Source: GIPS 2020 Standards for Firms, 2.A.18 and glossary "time-weighted return".
 * @param factors the points' {@link growthFactors}, where they are known already
 * @returns undefined for fewer than two points, or where {@link growthFactors} is
 */
export function timeWeightedReturn(
  points: readonly ValuePoint[],
  factors = growthFactors(points),
): PeriodReturn | undefined {
  const [first] = points;
  const last = points.at(-1);
  if (factors === undefined || factors.length === 0 || first === undefined || last === undefined)
    return undefined;
  const growth = factors.reduce((product, factor) => product.mul(factor), new Rate(1));
  const days = (last.at - first.at) / DAY_MS;
  // In all digits: next to a total loss, few of a rate’s twenty would be left.
  return { period: new Dec(growth).minus(1), annual: annualized(growth, days), days };
}

/** growth^(365/days) - 1, from a year on. */
export function annualized(growth: Dec, days: number): Dec | undefined {
  if (days < SHORTEST_ANNUALIZED_DAYS) return undefined;
  return growth.isZero() ? new Dec(-1) : growth.pow(new Dec(DAYS_A_YEAR).div(days)).minus(1);
}
