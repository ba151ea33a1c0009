import { type Dec, ZERO } from '../decimal.ts';
import { DAY, newYorkDate } from '../new-york-time.ts';
import type { Flow } from './value-point.ts';

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
export function byOwnDate(flows: readonly Flow[], booked: readonly Flow[], since: number): Flow[] {
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
