import { Dec, isPositive, ZERO } from '../decimal.ts';
import { Rate, type ValuePoint } from './value-point.ts';

/** Where a portfolio stood highest, kept from one look to the next. */
export interface HighWaterMark {
  /** Dollars; moved with every deposit and withdrawal as the value itself was, so that these are neither rise nor fall. */
  readonly value: Dec;
  /** When it was reached, milliseconds since the epoch. */
  readonly at: number;
  /** The point it was last brought up to. */
  readonly last: { readonly at: number; readonly value: Dec };
}

/** A fall from a peak. */
export interface Fall {
  /** Fraction of the peak, 0 to 1. */
  readonly fraction: Dec;
  readonly peakAt: number;
  readonly troughAt: number;
  /** When the peak was reached again; undefined while it was not. */
  readonly recoveredAt: number | undefined;
}

export interface Drawdowns {
  /** How far below the mark each point is: a fraction from 0 to 1. Worked out when it is asked for. */
  readonly series: readonly { readonly at: number; readonly fraction: Dec }[];
  /** Of the last point. */
  readonly current: Dec;
  /** The deepest of these points; undefined where there was none. */
  readonly worst: Fall | undefined;
  /** To be kept; undefined where there was nothing to see. */
  readonly mark: HighWaterMark | undefined;
}

/**
 * Follows the high-water mark through the points, from the one kept where there is one (points it has seen already are
 * passed over; the flow of the first it has not is what came since the last it has). Drawdown = 1 - value / mark. Source: Bacon, Practical Portfolio Performance Measurement and Attribution
 * (2nd ed.), "drawdown".
 */
export function drawdowns(points: readonly ValuePoint[], kept?: HighWaterMark): Drawdowns {
  let worst: Depth | undefined;
  let open: Depth | undefined;
  let current = currentOf(kept);
  const last = points.at(-1);
  const mark = follow(points, kept, (at, value, { value: peak, at: peakAt }) => {
    if (at === last?.at) current = below(value, peak);
    if (!isBelow(value, peak)) {
      if (open !== undefined && worst === open) worst = { ...open, recoveredAt: at };
      open = undefined;
      return;
    }
    const fall: Depth = { value, peak, peakAt, troughAt: at, recoveredAt: undefined };
    if (open !== undefined && !isDeeper(fall, open)) return;
    if (worst === undefined || worst === open || isDeeper(fall, worst)) worst = fall;
    // A fall that is not the worst is followed all the same: it may become it.
    open = fall;
  });
  return {
    // A quotient for each of years of days, which only a picture needs.
    get series() {
      const series: { at: number; fraction: Dec }[] = [];
      follow(points, kept, (at, value, { value: peak }) => {
        series.push({ at, fraction: below(value, peak) });
      });
      return series;
    },
    current,
    worst: worst && fallOf(worst),
    mark,
  };
}

/** Calls back for each point the mark has not seen, with the mark as it is then. */
function follow(
  points: readonly ValuePoint[],
  kept: HighWaterMark | undefined,
  see: (at: number, value: Dec, mark: HighWaterMark) => void,
): HighWaterMark | undefined {
  let mark = kept;
  for (const { at, value, flow } of points) {
    if (mark !== undefined && at <= mark.last.at) continue;
    mark = moved(mark, at, value, flow);
    see(at, value, mark);
  }
  return mark;
}

/** A fall whose fraction is not worked out yet. */
interface Depth extends Omit<Fall, 'fraction'> {
  readonly value: Dec;
  readonly peak: Dec;
}

/** Compared by multiplying, which is exact and takes a fraction of the time. Peaks are more than nothing. */
function isDeeper(one: Depth, other: Depth): boolean {
  return one.value.mul(other.peak).lt(other.value.mul(one.peak));
}

function fallOf({ value, peak, ...rest }: Depth): Fall {
  return { fraction: below(value, peak), ...rest };
}

function currentOf(mark: HighWaterMark | undefined): Dec {
  return mark === undefined ? ZERO : below(mark.last.value, mark.value);
}

const ONE = new Rate(1);

function isBelow(value: Dec, peak: Dec): boolean {
  return isPositive(peak) && value.lt(peak);
}

/** How far below a peak a value is, a fraction. */
function below(value: Dec, peak: Dec): Dec {
  if (!isBelow(value, peak)) return ZERO;
  return ONE.minus(new Rate(value).div(peak));
}

function moved(mark: HighWaterMark | undefined, at: number, value: Dec, flow: Dec): HighWaterMark {
  const last = { at, value };
  if (mark === undefined) return { value, at, last };
  const base = flow.isZero() ? mark.last.value : mark.last.value.plus(flow);
  // Nothing was left, or all of it is new: a new beginning.
  if (!isPositive(mark.last.value) || !isPositive(base)) return { value: Dec.max(value, base, 0), at, last };
  const level = flow.isZero() ? mark.value : mark.value.mul(base).div(mark.last.value);
  return value.gte(level) ? { value, at, last } : { value: level, at: mark.at, last };
}
