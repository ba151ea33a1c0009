import { DAY_MS } from '../../values/durations.ts';
import { Dec, isPositive } from '../decimal.ts';
import { DAYS_A_YEAR, Rate, SHORTEST_ANNUALIZED_DAYS, type ValuePoint } from './value-point.ts';

/** A return over a period. Fractions: 0.05 is 5 %. */
export interface PeriodReturn {
  readonly period: Dec;
  /** A year's rate; undefined for less than a year. */
  readonly annual: Dec | undefined;
  /** Days, with their fraction. */
  readonly days: number;
  /**
   * When all was lost (milliseconds since the epoch): there is no return from there on. Undefined where the return
   * reaches to the end.
   */
  readonly ended?: number;
  /** When it began anew, after an earlier return had ended. Undefined where it reaches from the beginning. */
  readonly began?: number;
}

/** Stretches one after the other, each of which has a return. */
interface Chain {
  readonly points: readonly ValuePoint[];
  /** What each stretch between them multiplied the money by. Only the last may be nothing, or less where more was lost. */
  readonly factors: readonly Dec[];
  /** Whether all was lost at its last point. */
  readonly lost: boolean;
}

const ONE = new Rate(1);
const isNegative = (value: Dec) => value.isNegative() && !value.isZero();

/**
 * What a stretch multiplied the money by: (V + W) / (V' + D), where V' and V are what there was before and after, and the
 * stretch's flow is a deposit D, there from its beginning, or a withdrawal W, there until its end. So no withdrawal, however
 * near to all there is, makes a return of its own. A stretch without any money in it multiplies by one. Source: Portfolio
 * Performance, manual, "Time-weighted rate of return"; GIPS 2020, 2.A.23 (a firm's own convention, kept to).
 * @returns undefined where money came of nothing, or of less, since no rate says that
 */
function growthOf(before: Dec, { value, flow }: Pick<ValuePoint, 'value' | 'flow'>): Dec | undefined {
  const base = baseOf(before, flow);
  const result = isNegative(flow) ? value.minus(flow) : value;
  if (isPositive(base)) return new Rate(result).div(base);
  return base.isZero() && result.isZero() ? ONE : undefined;
}

/** The money that was there from a stretch's beginning. */
function baseOf(before: Dec, flow: Dec): Dec {
  return isPositive(flow) ? before.plus(flow) : before;
}

/**
 * The points in as few chains as there are: one, unless all was lost, or more, and there was something again later, or
 * money came of nothing.
 */
export function chainsOf(points: readonly ValuePoint[]): Chain[] {
  const chains: Chain[] = [];
  let [chain, factors]: [ValuePoint[], Dec[]] = [points.slice(0, 1), []];
  const end = (lost: boolean, next: ValuePoint | undefined) => {
    if (factors.length > 0) chains.push({ points: chain, factors, lost });
    [chain, factors] = [next === undefined ? [] : [next], []];
  };
  for (let i = 1; i < points.length; i++) {
    const [before, point] = [points[i - 1] as ValuePoint, points[i] as ValuePoint];
    const factor = growthOf(before.value, point);
    // Lost already: nothing is told until there is something again, of which the next chain is.
    if (chain.length === 0) {
      if (!isPositive(baseOf(before.value, point.flow))) continue;
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

/** What each stretch multiplied the money by; undefined where one of them has no return. */
export function growthFactors(points: readonly ValuePoint[]): Dec[] | undefined {
  const factors: Dec[] = [];
  for (let i = 1; i < points.length; i++) {
    const factor = growthOf((points[i - 1] as ValuePoint).value, points[i] as ValuePoint);
    if (factor === undefined || isNegative(factor)) return undefined;
    factors.push(factor);
  }
  return factors;
}

/**
 * Time-weighted return: the stretches between flows, linked ({@link growthOf}). Deposits and withdrawals leave it as it is.
 * Where all was lost it ends there, and says so; where new money came after that, it is the return of that.
 * Source: GIPS 2020 Standards for Firms, 2.A.18 and glossary "time-weighted return".
 * @param chains the points' {@link chainsOf}, where they are known already
 * @returns undefined where no stretch has a return
 */
export function timeWeightedReturn(
  points: readonly ValuePoint[],
  chains: readonly Chain[] = chainsOf(points),
): PeriodReturn | undefined {
  const chain = chains.at(-1);
  const first = chain?.points[0];
  const last = chain?.points.at(-1);
  if (chain === undefined || first === undefined || last === undefined) return undefined;
  const growth = chain.factors.reduce((product, factor) => product.mul(factor), new Rate(1));
  const days = (last.at - first.at) / DAY_MS;
  return {
    // In all digits: next to a total loss, few of a rate’s twenty would be left.
    period: new Dec(growth).minus(1),
    annual: annualized(growth, days),
    days,
    ...(chain.lost ? { ended: last.at } : {}),
    ...(first === points[0] ? {} : { began: first.at }),
  };
}

/** growth^(365/days) - 1, from a year on; more than all can't be lost every year. */
export function annualized(growth: Dec, days: number): Dec | undefined {
  if (days < SHORTEST_ANNUALIZED_DAYS || isNegative(growth)) return undefined;
  return growth.isZero() ? new Dec(-1) : growth.pow(new Dec(DAYS_A_YEAR).div(days)).minus(1);
}
