import { Dec, isPositive, ZERO } from '../decimal.ts';
import { DAY, newYorkDate, newYorkInstant } from '../new-york-time.ts';
import { moneyWeightedReturn } from './money-weighted.ts';
import { chainsOf, type PeriodReturn, timeWeightedReturn } from './time-weighted.ts';
import { type Flow, type ValuePoint, valuePoints } from './value-point.ts';

/** Cash may appear up to four days after it moved: a weekend and a holiday. */
const LATEST_DAYS = 4;

/**
 * Dates flows by the activities, for a return that counts days: the broker's history puts them at day ends, which
 * says between which values they came. A history flow is replaced if the activities have the same cash, to the cent,
 * on that day or shortly before. @param since flows up to this instant stay: they are in the value there
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
  /** Net external cash since the previous value, by the broker's own word; undefined if it does not tell. */
  readonly flow?: string | undefined;
}

export interface AccountReturns {
  readonly line: readonly ValuePoint[];
  /** Those of the line that the time-weighted return is of: all, unless all was lost on the way. */
  readonly points: readonly ValuePoint[];
  /** What each stretch between these points multiplied the money by; undefined where there is none. */
  readonly factors: readonly Dec[] | undefined;
  readonly timeWeighted: PeriodReturn | undefined;
  readonly moneyWeighted: PeriodReturn | undefined;
}

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
 * External flows from the best source: the broker's history for the days it covers, since its flows match its
 * values; activities after that and for shares moved. @param now the history's current day ends here
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
 * Returns from the first value to now; days before the first deposit are ignored. @param history day-end values
 * @param flows see {@link mergedFlows} @param booked as the activities date them, for the money-weighted return
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
