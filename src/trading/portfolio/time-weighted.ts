import { DAY_MS } from '../../values/durations.ts';
import { Dec, isPositive } from '../decimal.ts';
import { DAYS_PER_YEAR, MIN_ANNUALIZED_DAYS, Rate, type ValuePoint } from './value-point.ts';

export interface PeriodReturn {
  readonly period: Dec;
  /** Annualized rate. Undefined for less than a year. */
  readonly annual: Dec | undefined;
  readonly days: number;
  /** Time of a total loss, at which the return ends, in milliseconds since the epoch. */
  readonly ended?: number;
  readonly began?: number;
}

interface Chain {
  readonly points: readonly ValuePoint[];
  /** Growth factors between the points. Only the last one may be zero (a total loss) or negative (a greater loss). */
  readonly factors: readonly Dec[];
  readonly lost: boolean;
}

const ONE = new Rate(1);
const isNegative = (value: Dec) => value.isNegative() && !value.isZero();

/**
 * Returns a period's growth factor: (V + W) / (V' + D), with the values V' before and V after. A deposit D counts from
 * the start of the period and a withdrawal W until its end, so that a withdrawal causes no return. Source: Portfolio
 * Performance, manual, "Time-weighted rate of return"; GIPS 2020, 2.A.23.
 * @returns undefined if V' + D is zero or negative, because no rate exists then
 */
function growthFactor(before: Dec, { value, flow }: Pick<ValuePoint, 'value' | 'flow'>): Dec | undefined {
  const base = periodBase(before, flow);
  const result = isNegative(flow) ? value.minus(flow) : value;
  if (isPositive(base)) return new Rate(result).div(base);
  return base.isZero() && result.isZero() ? ONE : undefined;
}

function periodBase(before: Dec, flow: Dec): Dec {
  return isPositive(flow) ? before.plus(flow) : before;
}

/**
 * Splits the points into chains of periods that have a return. After a total loss, the next chain starts where new
 * money arrived.
 */
export function splitIntoChains(points: readonly ValuePoint[]): Chain[] {
  const chains: Chain[] = [];
  let [chain, factors]: [ValuePoint[], Dec[]] = [points.slice(0, 1), []];
  const end = (lost: boolean, next: ValuePoint | undefined) => {
    if (factors.length > 0) chains.push({ points: chain, factors, lost });
    [chain, factors] = [next === undefined ? [] : [next], []];
  };
  for (let i = 1; i < points.length; i++) {
    const [before, point] = [points[i - 1] as ValuePoint, points[i] as ValuePoint];
    const factor = growthFactor(before.value, point);
    // After a total loss, skips points until there is money again. The next chain starts there.
    if (chain.length === 0) {
      if (!isPositive(periodBase(before.value, point.flow))) continue;
      chain = [before];
    }
    if (factor === undefined) {
      end(false, point);
      continue;
    }
    chain.push(point);
    factors.push(factor);
    if (!isPositive(factor) || isNegative(point.value)) end(true, undefined);
  }
  if (factors.length > 0) chains.push({ points: chain, factors, lost: false });
  return chains;
}

/** Returns the growth factors between the points. Undefined if any period has no return. */
export function growthFactors(points: readonly ValuePoint[]): Dec[] | undefined {
  const factors: Dec[] = [];
  for (let i = 1; i < points.length; i++) {
    const factor = growthFactor((points[i - 1] as ValuePoint).value, points[i] as ValuePoint);
    if (factor === undefined || isNegative(factor)) return undefined;
    factors.push(factor);
  }
  return factors;
}

/**
 * Returns the time-weighted return: linked growth factors between flows, so that deposits and withdrawals don't affect
 * the return. The return ends at a total loss, or restarts if new money arrives after the loss. Source: GIPS 2020,
 * 2.A.18 and glossary.
 * @param chains the points' {@link splitIntoChains}, if known
 * @returns undefined if no period has a return
 */
export function timeWeightedReturn(
  points: readonly ValuePoint[],
  chains: readonly Chain[] = splitIntoChains(points),
): PeriodReturn | undefined {
  const chain = chains.at(-1);
  const first = chain?.points[0];
  const last = chain?.points.at(-1);
  if (chain === undefined || first === undefined || last === undefined) return undefined;
  const growth = chain.factors.reduce((product, factor) => product.mul(factor), new Rate(1));
  const days = (last.at - first.at) / DAY_MS;
  return {
    // Uses full precision, because after a near-total loss few of a rate's twenty digits would remain.
    period: new Dec(growth).minus(1),
    annual: annualize(growth, days),
    days,
    ...(chain.lost ? { ended: last.at } : {}),
    ...(first === points[0] ? {} : { began: first.at }),
  };
}

export function annualize(growth: Dec, days: number): Dec | undefined {
  if (days < MIN_ANNUALIZED_DAYS || isNegative(growth)) return undefined;
  return growth.isZero() ? new Dec(-1) : growth.pow(new Dec(DAYS_PER_YEAR).div(days)).minus(1);
}
