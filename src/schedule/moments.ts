import type { TradingDay } from '../trading/activity.ts';
import { newYorkInstant } from '../trading/new-york-time.ts';
import type { MarketEdge } from './market-edge.ts';

/** When a schedule is due. Milliseconds since the epoch, so that no zone of any machine matters. */
export interface Moments {
  /** Those up to and including an instant, newest first, so many at most. */
  upTo(now: number, most: number): number[];
  /** The next ones after an instant, oldest first. */
  after(now: number, count: number): number[];
}

/** The moments at an edge of each trading day of a calendar, half-days as they are. */
export function edgeMoments(edge: MarketEdge, calendar: readonly TradingDay[]): Moments {
  const all = calendar
    .map((day) => newYorkInstant(day.date, day[edge.edge]) + edge.minutes * 60_000)
    .sort((a, b) => a - b);
  return {
    upTo: (now, most) =>
      all
        .filter((moment) => moment <= now)
        .slice(-most)
        .reverse(),
    after: (now, count) => all.filter((moment) => moment > now).slice(0, count),
  };
}
