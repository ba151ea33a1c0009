import { compare, Dec, isPositive, ZERO } from '../decimal.ts';
import { Rate, type ValuePoint } from './value-point.ts';

export interface HighWaterMark {
  /** The mark in dollars. Deposits raise it and withdrawals lower it, so that they count as neither gain nor loss. */
  readonly value: Dec;
  /** When the mark was reached, in milliseconds since the epoch. */
  readonly at: number;
  readonly last: { readonly at: number; readonly value: Dec };
  /**
   * The sum of all flows known when the last point was processed, in dollars. A flow that becomes known later counts as
   * a later flow, regardless of its date. Undefined if not stored.
   */
  readonly flows?: Dec | undefined;
}

export interface Drawdown {
  /** The loss as a fraction of the peak. Above 1 if the account's value became negative. */
  readonly fraction: Dec;
  readonly peakAt: number;
  readonly troughAt: number;
  /** When the value, excluding flows, returned to the peak. Undefined if it never did or the money was withdrawn. */
  readonly recoveredAt: number | undefined;
}

export interface Drawdowns {
  readonly series: readonly { readonly at: number; readonly fraction: Dec }[];
  readonly current: Dec;
  readonly worst: Drawdown | undefined;
  readonly mark: HighWaterMark | undefined;
}

/**
 * Follows the high-water mark through the points, starting from the stored mark. Skips points that the stored mark
 * already includes. The first new point's flow is the flow since the stored mark. Drawdown = 1 - value / mark. Source:
 * Bacon, Practical Portfolio Performance Measurement and Attribution (2nd ed.), "drawdown".
 */
export function drawdowns(points: readonly ValuePoint[], kept?: HighWaterMark): Drawdowns {
  let worst: DrawdownDepth | undefined;
  let open: DrawdownDepth | undefined;
  let current = currentDrawdown(kept);
  const last = points.at(-1);
  const end = (recoveredAt?: number) => {
    if (open !== undefined && (worst === undefined || isDeeper(open, worst))) worst = { ...open, recoveredAt };
    open = undefined;
  };
  const mark = followMark(points, kept, (at, value, { value: peak, at: peakAt }, isNew) => {
    if (at === last?.at) current = drawdownFraction(value, peak);
    // New money after a total loss is not a recovery.
    if (isNew) end();
    if (!isBelow(value, peak)) {
      end(isPositive(value) ? at : undefined);
      return;
    }
    const fall: DrawdownDepth = { value, peak, peakAt, troughAt: at, recoveredAt: undefined };
    if (open === undefined || isDeeper(fall, open)) open = fall;
  });
  end();
  return {
    // Computed on demand: the series needs one division per day over years, and only charts use it.
    get series() {
      const series: { at: number; fraction: Dec }[] = [];
      followMark(points, kept, (at, value, { value: peak }) => {
        series.push({ at, fraction: drawdownFraction(value, peak) });
      });
      return series;
    },
    current,
    worst: worst && toDrawdown(worst),
    mark,
  };
}

function followMark(
  points: readonly ValuePoint[],
  kept: HighWaterMark | undefined,
  see: (at: number, value: Dec, mark: HighWaterMark, isNew: boolean) => void,
): HighWaterMark | undefined {
  let mark = kept;
  for (const { at, value, flow } of points) {
    if (mark !== undefined && at <= mark.last.at) continue;
    const level = mark && adjustedMark(mark, value, flow);
    const last = { at, value };
    if (mark === undefined || level === undefined) {
      // On the first point, and after a total loss, there is no earlier mark to compare with.
      mark = { value: Dec.max(value, (mark?.last.value ?? ZERO).plus(flow), 0), at, last };
    } else {
      mark = compare(value, level) >= 0 ? { value, at, last } : { value: level, at: mark.at, last };
    }
    see(at, value, mark, level === undefined);
  }
  return mark;
}

interface DrawdownDepth extends Omit<Drawdown, 'fraction'> {
  readonly value: Dec;
  readonly peak: Dec;
}

/** Compares by multiplication, which is exact and much faster than division. Peaks are always above zero. */
function isDeeper(one: DrawdownDepth, other: DrawdownDepth): boolean {
  // The peak is the same object until the next flow, so only the values have to be compared.
  if (one.peak === other.peak) return compare(one.value, other.value) < 0;
  return compare(one.value.mul(other.peak), other.value.mul(one.peak)) < 0;
}

function toDrawdown({ value, peak, ...rest }: DrawdownDepth): Drawdown {
  return { fraction: drawdownFraction(value, peak), ...rest };
}

function currentDrawdown(mark: HighWaterMark | undefined): Dec {
  return mark === undefined ? ZERO : drawdownFraction(mark.last.value, mark.value);
}

const ONE = new Rate(1);

function isBelow(value: Dec, peak: Dec): boolean {
  return isPositive(peak) && compare(value, peak) < 0;
}

function drawdownFraction(value: Dec, peak: Dec): Dec {
  if (!isBelow(value, peak)) return ZERO;
  return ONE.minus(new Rate(value).div(peak));
}

/**
 * Returns the mark after a period, moved by the period's flow under the same convention as the return (`growthFactor`),
 * so that a flow is neither gain nor loss: deposits × (V' + D) / V', withdrawals × V / (V + W).
 * @returns undefined if new money arrived after a total loss, because there is then nothing to compare with
 */
function adjustedMark({ value: level, last }: HighWaterMark, value: Dec, flow: Dec): Dec | undefined {
  if (!isPositive(last.value)) {
    // After a total loss without new money, any recovery is still measured against the mark.
    const isNew = isPositive(flow) && isPositive(last.value.plus(flow));
    return isPositive(level) && !isNew ? level : undefined;
  }
  if (flow.isZero()) return level;
  if (isPositive(flow)) return level.mul(last.value.plus(flow)).div(last.value);
  const whole = value.minus(flow);
  if (!isPositive(whole)) return level;
  return isPositive(value) ? level.mul(value).div(whole) : ZERO;
}
