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
  /** How far below the mark each point is: a fraction from 0 to 1. */
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
  let mark = kept;
  let worst: Fall | undefined;
  let open: Fall | undefined;
  const series: { at: number; fraction: Dec }[] = [];
  for (const { at, value, flow } of points) {
    if (mark !== undefined && at <= mark.last.at) continue;
    mark = moved(mark, at, value, flow);
    const fraction = below(value, mark.value);
    series.push({ at, fraction });
    if (fraction.isZero()) {
      if (open !== undefined && worst === open) worst = { ...open, recoveredAt: at };
      open = undefined;
      continue;
    }
    if (open !== undefined && fraction.lte(open.fraction)) continue;
    const deeper: Fall = { fraction, peakAt: mark.at, troughAt: at, recoveredAt: undefined };
    if (worst === undefined || worst === open || fraction.gt(worst.fraction)) worst = deeper;
    // A fall that is not the worst is followed all the same: it may become it.
    open = deeper;
  }
  return { series, current: series.at(-1)?.fraction ?? currentOf(kept), worst, mark };
}

function currentOf(mark: HighWaterMark | undefined): Dec {
  return mark === undefined ? ZERO : below(mark.last.value, mark.value);
}

const ONE = new Rate(1);

/** How far below a peak a value is, a fraction. */
function below(value: Dec, peak: Dec): Dec {
  if (!isPositive(peak) || value.gte(peak)) return ZERO;
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
