import { Dec, ZERO } from '../decimal.ts';

export const DAYS_PER_YEAR = 365;
/** Returns for less than a year are not annualized (GIPS 2020, 2.A.24). */
export const MIN_ANNUALIZED_DAYS = 365;

/**
 * Decimal type for rates. Its 20 significant digits are more than any amount has, and computing with them is much
 * faster than with the 40 digits used for dollars.
 */
export const Rate = Dec.clone({ precision: 20 });

export interface ValuePoint {
  readonly at: number;
  readonly value: Dec;
  /**
   * Net deposits since the previous point, in dollars. Deposits count from the start of this period, and withdrawals
   * until its end. Dividends and fees are not flows.
   */
  readonly flow: Dec;
}

export interface Flow {
  readonly at: number;
  readonly amount: Dec;
  readonly shares?: boolean;
  /** Whether the flow was booked after the day's valuation. It is then in either that day's value or the next. */
  readonly late?: boolean;
}

/**
 * Assigns flows to the periods between values. The first value includes all earlier flows, and flows after the last
 * value are dropped. No broker says which value includes a late-booked flow, so such a flow is assigned to the period
 * whose change in value the flow explains better.
 */
export function toValuePoints(
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
    const place = explainsBetterHere(points, index, amount) ? index : index + 1;
    const point = points[place];
    if (place > 0 && point !== undefined) point.flow = point.flow.plus(amount);
  }
  return points;
}

/** Returns whether the flow explains the change in value better in this period than in the next. */
function explainsBetterHere(points: readonly ValuePoint[], index: number, amount: Dec): boolean {
  const [before, point, next] = [points[index - 1], points[index], points[index + 1]];
  if (point === undefined || next === undefined) return true;
  const here = before && point.value.minus(before.value).minus(point.flow);
  const there = next.value.minus(point.value).minus(next.flow);
  const left = (own: Dec, other: Dec) => (here?.minus(own).abs() ?? ZERO).plus(there.minus(other).abs());
  return left(amount, ZERO).lt(left(ZERO, amount));
}
