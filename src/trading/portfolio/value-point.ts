import { Dec, ZERO } from '../decimal.ts';

/** As Excel's XIRR counts: a year has 365 days, leap years too. */
export const DAYS_A_YEAR = 365;
/** Below a year a rate is told for its period alone (GIPS 2020, 2.A.24: returns for less than a year are not annualized). */
export const SHORTEST_ANNUALIZED_DAYS = 365;

/**
 * Rates are kept to 20 significant digits, dollars exactly: a rate is a quotient that no number of digits holds, and
 * twenty are far more than any money has, at a fraction of the time of forty.
 */
export const Rate = Dec.clone({ precision: 20 });

/** What a portfolio was worth at an instant. */
export interface ValuePoint {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Dollars, with every flow up to now in it. */
  readonly value: Dec;
  /**
   * Dollars that came in from outside (less those that went out) since the point before. What came counts as there from
   * the beginning of the stretch that ends here, what went until its end. Dividends and fees are no flows: they are what
   * the portfolio did.
   */
  readonly flow: Dec;
}

/** Money in (positive) or out, dollars. */
export interface Flow {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly amount: Dec;
  /** Shares that were moved, at their market value. */
  readonly shares?: boolean;
  /** Whether it was booked after its day's value was struck: that value may have it, or only the next one. */
  readonly late?: boolean;
}

/**
 * Puts flows between the values they came between. Flows before the first value are part of it; later ones are left out.
 * One that was booked late is put where it explains the values better: no broker says which of the two has it.
 */
export function valuePoints(
  values: readonly { readonly at: number; readonly value: Dec }[],
  flows: readonly Flow[],
): ValuePoint[] {
  const sorted = [...flows].sort((a, b) => a.at - b.at);
  const late: (Flow & { readonly index: number })[] = [];
  let next = 0;
  const points = [...values]
    .sort((a, b) => a.at - b.at)
    .map(({ at, value }, index, { length }) => {
      let flow: Dec = ZERO;
      for (let one = sorted[next]; one !== undefined && one.at <= at; one = sorted[++next]) {
        if (one.late === true && index + 1 < length) late.push({ ...one, index });
        else if (index > 0) flow = flow.plus(one.amount);
      }
      return { at, value, flow };
    });
  for (const { amount, index } of late) {
    const place = explains(points, index, amount) ? index : index + 1;
    const point = points[place];
    if (place > 0 && point !== undefined) point.flow = point.flow.plus(amount);
  }
  return points;
}

/** Whether a flow explains the values better in this stretch than in the next, by what is left unexplained in both. */
function explains(points: readonly ValuePoint[], index: number, amount: Dec): boolean {
  const [before, point, next] = [points[index - 1], points[index], points[index + 1]];
  if (point === undefined || next === undefined) return true;
  const here = before && point.value.minus(before.value).minus(point.flow);
  const there = next.value.minus(point.value).minus(next.flow);
  const left = (own: Dec, other: Dec) => (here?.minus(own).abs() ?? ZERO).plus(there.minus(other).abs());
  return left(amount, ZERO).lt(left(ZERO, amount));
}
