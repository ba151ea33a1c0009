import { Dec, isPositive, ZERO } from '../decimal.ts';
import { DAY, newYorkDate, newYorkInstant } from '../new-york-time.ts';
import { moneyWeightedReturn } from './money-weighted.ts';
import { chainsOf, type PeriodReturn, timeWeightedReturn } from './time-weighted.ts';
import { type Flow, type ValuePoint, valuePoints } from './value-point.ts';

/** A history may have cash on the day it was booked: after a weekend and a holiday, four days after it moved. */
const LATEST_DAYS = 4;

/**
 * Flows by when they were, for a return that counts days: the broker's history has them at the ends of its days, which says
 * between which values they came. Where the activities have that day's cash, or that of a day shortly before, to the cent,
 * theirs is the time; else the history's stays.
 * @param flows as they are put between values
 * @param booked by the activities' own dates
 * @param since none is moved to this instant or before: it would be in the value there
 */
function byOwnDate(flows: readonly Flow[], booked: readonly Flow[], since: number): Flow[] {
  const own = new Set(flows);
  const cash = booked.filter((one) => one.shares !== true && one.at > since && !own.has(one));
  const days = Map.groupBy(cash, ({ at }) => newYorkDate(at));
  const all = new Set(booked);
  return flows
    .toSorted((a, b) => a.at - b.at)
    .flatMap((flow) => {
      if (all.has(flow)) return [flow];
      for (let back = 0; back <= LATEST_DAYS; back++) {
        const day = newYorkDate(flow.at - back * DAY);
        const found = days.get(day);
        const sum = found?.reduce<Dec>((total, { amount }) => total.plus(amount), ZERO);
        if (found === undefined || sum?.eq(flow.amount) !== true) continue;
        days.delete(day);
        return found;
      }
      return [flow];
    });
}

/** What an account was worth at an instant (RFC 3339), dollars. */
export interface DatedEquity {
  readonly at: string;
  readonly equity: string;
  /**
   * Cash that came from outside since the value before, less what went there, by the broker's own word; undefined where it
   * says nothing of that.
   */
  readonly flow?: string | undefined;
}

/** What an account did over a stretch of time. */
export interface AccountReturns {
  /** From the first known value on, ending with now. */
  readonly line: readonly ValuePoint[];
  /** Those of the line that the time-weighted return is of: all, unless all was lost on the way. */
  readonly points: readonly ValuePoint[];
  /** What each stretch between these points multiplied the money by; undefined where there is none. */
  readonly factors: readonly Dec[] | undefined;
  readonly timeWeighted: PeriodReturn | undefined;
  readonly moneyWeighted: PeriodReturn | undefined;
}

/** Brokers label a day by its beginning; its value is that of its end, the last moment that is still this day. */
export function atDayEnds(history: readonly DatedEquity[]): DatedEquityAt[] {
  return history.map(({ at, ...rest }) => ({
    at: newYorkInstant(newYorkDate(Date.parse(at)), '24:00') - 1,
    ...rest,
  }));
}

export interface DatedEquityAt extends Omit<DatedEquity, 'at'> {
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/**
 * What came from outside and what went there, by the best word there is of it: of the days that the broker's history tells
 * cash flows of, by these, since they are aligned to its values; since then, and of shares moved, by the activities.
 * @param activities undefined where they can't be had
 * @param now milliseconds since the epoch; the history's day under way ends here
 */
export function mergedFlows(
  history: readonly DatedEquityAt[],
  activities: readonly Flow[] = [],
  now = Number.POSITIVE_INFINITY,
): Flow[] {
  const told = history.flatMap(({ at, flow }) =>
    flow === undefined ? [] : [{ at: Math.min(at, now), amount: new Dec(flow) }],
  );
  const last = told.findLast(({ at }) => at < now);
  if (last === undefined) return [...activities];
  // The history may lag within the day, and the activities by a day: what either knows of the day under way counts, once.
  const toldNow = told.some(({ at, amount }) => at === now && !amount.isZero());
  const since = toldNow ? now : last.at;
  return [
    ...told.filter(({ amount }) => !amount.isZero()),
    ...activities.filter(({ at, shares }) => shares === true || at > since),
  ];
}

/**
 * The returns from the first value on to now. An account's first days before its first deposit say nothing.
 * @param history values at the ends of days; those from now on are left out
 * @param flows as {@link mergedFlows} has them
 * @param booked as the activities date them, by which the money-weighted return goes
 */
export function accountReturns(
  history: readonly DatedEquityAt[],
  now: { readonly at: number; readonly equity: Dec },
  flows: readonly Flow[],
  booked: readonly Flow[] = [],
): AccountReturns {
  const line = valuePoints(knownValues(history, now), flows);
  const chains = chainsOf(line);
  const chain = chains.at(-1);
  const [first] = line;
  const last = line.at(-1);
  return {
    line,
    points: chain?.points ?? line,
    factors: chain?.factors,
    timeWeighted: timeWeightedReturn(line, chains),
    moneyWeighted:
      first === undefined || last === undefined || first === last
        ? undefined
        : moneyWeightedReturn(first, byOwnDate(flows, booked, first.at), last),
  };
}

/** What the account was worth, from its first money on to now. */
function knownValues(
  history: readonly DatedEquityAt[],
  now: { readonly at: number; readonly equity: Dec },
): { readonly at: number; readonly value: Dec }[] {
  const earlier = history
    .map(({ at, equity }) => ({ at, value: new Dec(equity) }))
    .filter(({ at }) => at < now.at);
  const begun = earlier.findIndex(({ value }) => isPositive(value));
  return [...(begun === -1 ? [] : earlier.slice(begun)), { at: now.at, value: now.equity }];
}
