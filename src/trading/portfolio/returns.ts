import { Dec, isPositive } from '../decimal.ts';
import { newYorkDate, newYorkInstant } from '../new-york-time.ts';
import { moneyWeightedReturn } from './money-weighted.ts';
import { growthFactors, type PeriodReturn, timeWeightedReturn } from './time-weighted.ts';
import { type Flow, type ValuePoint, valuePoints } from './value-point.ts';

/** What an account was worth at an instant (RFC 3339), dollars. */
export interface DatedEquity {
  readonly at: string;
  readonly equity: string;
}

/** What an account did over a stretch of time. */
export interface AccountReturns {
  /** From the first known value on, ending with now. */
  readonly points: readonly ValuePoint[];
  /** What each stretch between them multiplied the money by. */
  readonly factors: Dec[] | undefined;
  readonly timeWeighted: PeriodReturn | undefined;
  readonly moneyWeighted: PeriodReturn | undefined;
}

/** Brokers label a day by its beginning; its value is that of its end, the last moment that is still this day. */
export function atDayEnds(history: readonly DatedEquity[]): DatedEquityAt[] {
  return history.map(({ at, equity }) => ({
    at: newYorkInstant(newYorkDate(Date.parse(at)), '24:00') - 1,
    equity,
  }));
}

export interface DatedEquityAt {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly equity: string;
}

/**
 * The returns from the first value on to now. An account's first days before its first deposit say nothing.
 * @param history values at the ends of days; those from now on are left out
 */
export function accountReturns(
  history: readonly DatedEquityAt[],
  now: { readonly at: number; readonly equity: Dec },
  flows: readonly Flow[],
): AccountReturns {
  const points = valuePoints(knownValues(history, now), flows);
  const factors = growthFactors(points);
  const [first] = points;
  const last = points.at(-1);
  return {
    points,
    factors,
    timeWeighted: timeWeightedReturn(points, factors),
    moneyWeighted:
      first === undefined || last === undefined || first === last
        ? undefined
        : moneyWeightedReturn(first, flows, last),
  };
}

/** What the account was worth, from its first money on to now. */
export function knownValues(
  history: readonly DatedEquityAt[],
  now: { readonly at: number; readonly equity: Dec },
): { readonly at: number; readonly value: Dec }[] {
  const earlier = history
    .map(({ at, equity }) => ({ at, value: new Dec(equity) }))
    .filter(({ at }) => at < now.at);
  const begun = earlier.findIndex(({ value }) => isPositive(value));
  return [...(begun === -1 ? [] : earlier.slice(begun)), { at: now.at, value: now.equity }];
}
