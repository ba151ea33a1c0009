import { Dec } from '../decimal.ts';
import type { PeriodReturn } from './time-weighted.ts';
import { DAY_MS, DAYS_A_YEAR, type Flow, Rate, SHORTEST_ANNUALIZED_DAYS } from './value-point.ts';

/** Growth over the whole period from e^-40 to e^40 is searched for a rate. */
const WIDEST = 40;
const STEP = 0.25;
const BISECTIONS = 60;
/** Newton steps in exact decimals, at most; each about doubles the right digits of a double's sixteen. */
const POLISH = 3;
/** A step this small leaves an error of about its square: less than the last of a rate's twenty digits. */
const SMALL_STEP = '1e-11';

/**
 * The rate at which all flows, discounted to the first, come to nothing: what Excel calls XIRR. Money put in is
 * negative, money taken out and the value at the end positive (or all signs turned around). Of several rates, the one
 * nearest to nothing. Source: Microsoft, "XIRR function".
 * @returns a year's rate as a fraction; undefined where all flows have one sign, fall on one instant, or no rate fits
 */
export function xirr(flows: readonly Flow[]): Dec | undefined {
  const solved = solve(flows);
  return solved?.growth.div(solved.years).exp().minus(1);
}

/**
 * Money-weighted return of a portfolio, from its value at the start, what came in and went out (deposits positive), and
 * its value at the end.
 */
export function moneyWeightedReturn(
  start: { readonly at: number; readonly value: Dec },
  flows: readonly Flow[],
  end: { readonly at: number; readonly value: Dec },
): PeriodReturn | undefined {
  const inside = flows.filter(({ at }) => at > start.at && at <= end.at);
  const solved = solve([
    { at: start.at, amount: start.value.neg() },
    ...inside.map(({ at, amount }) => ({ at, amount: amount.neg() })),
    { at: end.at, amount: end.value },
  ]);
  if (solved === undefined) return undefined;
  const days = (end.at - start.at) / DAY_MS;
  return {
    // The equation's time runs from the first flow of money to the last, and so may its period.
    period: solved.growth.mul(days).div(solved.years.mul(DAYS_A_YEAR)).exp().minus(1),
    annual: days < SHORTEST_ANNUALIZED_DAYS ? undefined : solved.growth.div(solved.years).exp().minus(1),
    days,
  };
}

/** Solves Σ a·e^(-y·t) = 0 for y, t running from 0 to 1; y is the logarithm of the growth over `years`. */
function solve(flows: readonly Flow[]): { growth: Dec; years: Dec } | undefined {
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
  const guess = roughRoot((y) => rough.reduce((sum, { a, t }) => sum + a * Math.exp(-y * t), 0));
  if (guess === undefined) return undefined;

  const exact = used.map(({ at, amount }) => ({
    t: new Rate(at - start).div(end - start),
    a: new Rate(amount).div(scale),
  }));
  let y: Dec = new Rate(guess);
  for (let i = 0; i < POLISH; i++) {
    let value: Dec = new Rate(0);
    let slope: Dec = new Rate(0);
    for (const { t, a } of exact) {
      const term = a.mul(y.neg().mul(t).exp());
      value = value.plus(term);
      slope = slope.minus(term.mul(t));
    }
    // At a double root there is no slope to follow; the bisection's digits must do.
    if (slope.abs().lt('1e-20')) break;
    const step = value.div(slope);
    y = y.minus(step);
    if (step.abs().lt(SMALL_STEP)) break;
  }
  return { growth: new Dec(y), years: new Dec(end - start).div(DAY_MS).div(DAYS_A_YEAR) };
}

/** Looks for a change of sign outward from zero, then halves it. */
function roughRoot(f: (y: number) => number): number | undefined {
  let [low, high] = [0, 0];
  let [atLow, atHigh] = [f(0), f(0)];
  if (atLow === 0) return 0;
  for (let reach = STEP; reach <= WIDEST; reach += STEP) {
    const above = f(reach);
    const below = f(-reach);
    if (above * atHigh <= 0) return bisect(f, high, reach);
    if (below * atLow <= 0) return bisect(f, -reach, low);
    [low, high, atLow, atHigh] = [-reach, reach, below, above];
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
