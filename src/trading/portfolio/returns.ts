import { DAY_MS } from '../../values/durations.ts';
import { Dec, isPositive, ZERO } from '../decimal.ts';
import { newYorkDate, newYorkInstant, ONE_DAY_MS } from '../new-york-time.ts';
import { type PeriodReturn, splitIntoChains, timeWeightedReturn } from './time-weighted.ts';
import { DAYS_PER_YEAR, type Flow, MIN_ANNUALIZED_DAYS, Rate, toValuePoints, type ValuePoint } from './value-point.ts';

/** Maximum days from a cash movement until the broker's history shows it. Four days cover a weekend and a holiday. */
const MAX_FLOW_DELAY_DAYS = 4;

/**
 * Returns the flows with the dates of their activities, for returns that depend on the number of days. The broker's
 * history shows only between which two day-end values a flow occurred. An activity replaces a history flow if their
 * cash amounts are equal to the cent and the activity is dated on the flow's day or shortly before.
 * @param since `booked` flows up to this instant are ignored, because the value at that instant includes them
 */
function dateFlowsByActivity(flows: readonly Flow[], booked: readonly Flow[], since: number): Flow[] {
  const own = new Set(flows);
  const cash = booked.filter((one) => one.shares !== true && one.at > since && !own.has(one));
  const days = Map.groupBy(cash, ({ at }) => newYorkDate(at));
  const all = new Set(booked);
  return flows
    .toSorted((a, b) => a.at - b.at)
    .flatMap((flow) => {
      if (all.has(flow)) return [flow];
      for (let back = 0; back <= MAX_FLOW_DELAY_DAYS; back++) {
        const day = newYorkDate(flow.at - back * ONE_DAY_MS);
        const found = days.get(day);
        const sum = found?.reduce<Dec>((total, { amount }) => total.plus(amount), ZERO);
        if (found === undefined || sum?.eq(flow.amount) !== true) continue;
        days.delete(day);
        return found;
      }
      return [flow];
    });
}

/** An account's equity at an instant (RFC 3339), in dollars. */
export interface DatedEquity {
  readonly at: string;
  readonly equity: string;
  /** Net external cash since the previous value, as reported by the broker. Undefined if not reported. */
  readonly flow?: string | undefined;
}

export interface AccountReturns {
  readonly allPoints: readonly ValuePoint[];
  /** Points that the time-weighted return covers: all of `allPoints`, unless there was a total loss. */
  readonly points: readonly ValuePoint[];
  /** Growth factors between `points`. Undefined if no period has a return. */
  readonly factors: readonly Dec[] | undefined;
  readonly timeWeighted: PeriodReturn | undefined;
  readonly moneyWeighted: PeriodReturn | undefined;
}

export function toDayEndEquity(history: readonly DatedEquity[]): TimedEquity[] {
  return history.map(({ at, ...rest }) => ({
    at: newYorkInstant(newYorkDate(Date.parse(at)), '24:00') - 1,
    ...rest,
  }));
}

export interface TimedEquity extends Omit<DatedEquity, 'at'> {
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/**
 * Returns external flows. For the days that the broker's history covers, uses the history's flows, because these match
 * the history's values. For later days and for moved shares, uses the activities.
 * @param now the end of the history's current day
 */
export function mergeFlows(
  history: readonly TimedEquity[],
  activities: readonly Flow[] = [],
  now = Number.POSITIVE_INFINITY,
): Flow[] {
  const reported = history.flatMap(({ at, flow }) =>
    flow === undefined ? [] : [{ at: Math.min(at, now), amount: new Dec(flow) }],
  );
  const last = reported.findLast(({ at }) => at < now);
  if (last === undefined) return [...activities];
  // The history may lag within a day and the activities by a day, so today's flows come from the source that has them.
  const reportedToday = reported.some(({ at, amount }) => at === now && !amount.isZero());
  const since = reportedToday ? now : last.at;
  return [
    ...reported.filter(({ amount }) => !amount.isZero()),
    ...activities.filter(({ at, shares }) => shares === true || at > since),
  ];
}

/**
 * Computes returns from the first value to now, ignoring days before the first deposit.
 * @param history day-end values
 * @param flows see {@link mergeFlows}
 * @param booked flows dated by the activities, for the money-weighted return
 */
export function accountReturns(
  history: readonly TimedEquity[],
  now: { readonly at: number; readonly equity: Dec },
  flows: readonly Flow[],
  booked: readonly Flow[] = [],
): AccountReturns {
  const line = toValuePoints(knownValues(history, now), flows);
  const chains = splitIntoChains(line);
  const chain = chains.at(-1);
  const [first] = line;
  const last = line.at(-1);
  return {
    allPoints: line,
    points: chain?.points ?? line,
    factors: chain?.factors,
    timeWeighted: timeWeightedReturn(line, chains),
    moneyWeighted:
      first === undefined || last === undefined || first === last
        ? undefined
        : moneyWeightedReturn(first, dateFlowsByActivity(flows, booked, first.at), last),
  };
}

function knownValues(
  history: readonly TimedEquity[],
  now: { readonly at: number; readonly equity: Dec },
): { readonly at: number; readonly value: Dec }[] {
  const earlier = history.map(({ at, equity }) => ({ at, value: new Dec(equity) })).filter(({ at }) => at < now.at);
  const begun = earlier.findIndex(({ value }) => isPositive(value));
  return [...(begun === -1 ? [] : earlier.slice(begun)), { at: now.at, value: now.equity }];
}

/** Search range for a rate: growth over the whole period from e^-40 to e^40. */
const MAX_LOG_GROWTH = 40;
/**
 * Search steps, small near zero, where most rates are, so that close rates are in different steps. Each step is 5%
 * longer than the last.
 */
const SEARCH_STEPS = { first: 1 / 128, longer: 1.05 };
/** Search steps if several rates may exist. Up to 300% a year, rates that are 3% apart are in different steps. */
const FINE_SEARCH_STEPS = { first: 1 / 256, longer: 1.003 };
const BISECTIONS = 60;
/** Each step roughly doubles the number of correct digits, starting from the 16 digits of a double. */
const MAX_NEWTON_STEPS = 3;
/** After a step this small, the error (about the step squared) is beyond the 20 digits of a rate. */
const CONVERGED_STEP = '1e-11';

/**
 * Returns the annual rate at which all flows, discounted to the time of the first flow, sum to zero (Excel's XIRR), as
 * a fraction. If several rates fit, returns the rate nearest to zero: -30% is nearer than 40%.
 * @returns undefined if all flows have the same sign or time, or if no rate fits
 */
export function xirr(flows: readonly Flow[]): Dec | undefined {
  const solved = solveGrowth(flows);
  return solved?.growth.div(solved.years).exp().minus(1);
}

/**
 * Returns the money-weighted return from the starting value, the flows (deposits are positive) and the final value.
 * @returns undefined if no rate fits, as after a total loss
 */
export function moneyWeightedReturn(
  start: { readonly at: number; readonly value: Dec },
  flows: readonly Flow[],
  end: { readonly at: number; readonly value: Dec },
): PeriodReturn | undefined {
  const inside = flows.filter(({ at }) => at > start.at && at <= end.at);
  const back = inside.reduce((sum, { amount }) => (amount.isNegative() ? sum.minus(amount) : sum), end.value);
  if (!isPositive(back)) return undefined;
  const solved = solveGrowth([
    { at: start.at, amount: start.value.neg() },
    ...inside.map(({ at, amount }) => ({ at, amount: amount.neg() })),
    { at: end.at, amount: end.value },
  ]);
  if (solved === undefined) return undefined;
  const days = (end.at - start.at) / DAY_MS;
  return {
    // The equation covers the time from the first flow to the last, so its growth is scaled to the whole period.
    period: solved.growth.mul(days).div(solved.years.mul(DAYS_PER_YEAR)).exp().minus(1),
    annual: days < MIN_ANNUALIZED_DAYS ? undefined : solved.growth.div(solved.years).exp().minus(1),
    days,
  };
}

/** Solves Σ a·e^(-y·t) = 0 for y, with t from 0 to 1. y is the logarithm of the growth over `years`. */
function solveGrowth(flows: readonly Flow[]): { growth: Dec; years: Dec } | undefined {
  const used = flows.filter(({ amount }) => !amount.isZero());
  const [one] = used;
  if (one === undefined) return undefined;
  const start = used.reduce((least, { at }) => Math.min(least, at), one.at);
  const end = used.reduce((most, { at }) => Math.max(most, at), one.at);
  if (start === end || !used.some(({ amount }) => amount.gt(0)) || !used.some(({ amount }) => amount.lt(0)))
    return undefined;
  const scale = used.reduce((most, { amount }) => Dec.max(most, amount.abs()), new Dec(0));
  const rough = used.map(({ at, amount }) => ({
    t: (at - start) / (end - start),
    a: amount.div(scale).toNumber(),
  }));
  const years = (end - start) / DAY_MS / DAYS_PER_YEAR;
  const guess = findNearestRoot(
    {
      at: (y) => rough.reduce((sum, { a, t }) => sum + a * Math.exp(-y * t), 0),
      slope: (y) => rough.reduce((sum, { a, t }) => sum - a * t * Math.exp(-y * t), 0),
      several: mayHaveSeveralRoots(rough),
    },
    years,
  );
  if (guess === undefined) return undefined;

  const exact = used.map(({ at, amount }) => ({
    t: new Rate(at - start).div(end - start),
    a: new Rate(amount).div(scale),
  }));
  let y: Dec = new Rate(guess);
  for (let i = 0; i < MAX_NEWTON_STEPS; i++) {
    let value: Dec = new Rate(0);
    let slope: Dec = new Rate(0);
    for (const { t, a } of exact) {
      const term = a.mul(y.neg().mul(t).exp());
      value = value.plus(term);
      slope = slope.minus(term.mul(t));
    }
    // At a double root the slope is zero, so the bisection's digits are the best available.
    if (slope.abs().lt('1e-20')) break;
    const step = value.div(slope);
    y = y.minus(step);
    if (step.abs().lt(CONVERGED_STEP)) break;
  }
  return { growth: new Dec(y), years: new Dec(end - start).div(DAY_MS).div(DAYS_PER_YEAR) };
}

/** The sum of all flows, discounted by the growth e^y, as a function of y, and the slope of this function. */
interface PresentValueCurve {
  at(y: number): number;
  slope(y: number): number;
  readonly several: { readonly above: boolean; readonly below: boolean };
}

/** Returns the root with |e^(y/years) - 1| nearest to zero. @param years the years in which a value grows by e^y */
function findNearestRoot(curve: PresentValueCurve, years: number): number | undefined {
  if (curve.at(0) === 0) return 0;
  const rate = (y: number) => Math.abs(Math.expm1(y / years));
  const above = findFirstRoot(curve, 1, MAX_LOG_GROWTH);
  if (above === undefined) return findFirstRoot(curve, -1, MAX_LOG_GROWTH);
  // No rate is below -100 %, so if the root above zero is at 100 % or more, the whole range below zero is searched.
  const asNear = rate(above) < 1 ? -years * Math.log1p(-rate(above)) : MAX_LOG_GROWTH;
  const below = findFirstRoot(curve, -1, Math.min(MAX_LOG_GROWTH, asNear));
  return below !== undefined && rate(below) < rate(above) ? below : above;
}

/**
 * Returns whether several roots may be above zero, and whether several may be below. By Laguerre's extension of
 * Descartes' rule, Σ a·e^(-y·t) has at most as many roots above zero as its partial sums in order of rising t have sign
 * changes. The same holds for roots below zero and the partial sums in order of falling t.
 */
function mayHaveSeveralRoots(
  terms: readonly { readonly t: number; readonly a: number }[],
): PresentValueCurve['several'] {
  const rising = terms.toSorted((one, two) => one.t - two.t).map(({ a }) => a);
  const changes = (amounts: readonly number[]) => {
    let [sum, sign, count] = [0, 0, 0];
    for (const amount of amounts) {
      sum += amount;
      if (Math.sign(sum) === -sign && sign !== 0) count++;
      if (sum !== 0) sign = Math.sign(sum);
    }
    return count;
  };
  return { above: changes(rising) > 1, below: changes(rising.toReversed()) > 1 };
}

function findFirstRoot({ at, slope, several }: PresentValueCurve, side: 1 | -1, farthest: number): number | undefined {
  const { first, longer } = (side > 0 ? several.above : several.below) ? FINE_SEARCH_STEPS : SEARCH_STEPS;
  let near = 0;
  for (let step = first; Math.abs(near) < farthest; step *= longer) {
    const far = near + side * step;
    if (at(far) * at(near) <= 0) return bisect(at, near, far);
    // Two roots within one step leave both ends with the same sign, but the slope changes sign between them.
    if (slope(far) * slope(near) < 0) {
      const turn = bisect(slope, near, far);
      if (at(turn) * at(near) <= 0) return bisect(at, near, turn);
    }
    near = far;
  }
  return undefined;
}

function bisect(f: (y: number) => number, from: number, to: number): number {
  let [low, high] = [from, to];
  const sign = Math.sign(f(low));
  for (let i = 0; i < BISECTIONS; i++) {
    const middle = (low + high) / 2;
    if (Math.sign(f(middle)) === sign) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}
