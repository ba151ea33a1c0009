import type { TradingDay } from '../trading/activity.ts';
import { cronMoments } from './cron-expression.ts';
import { parseEdge } from './market-edge.ts';
import { edgeMoments, type Moments } from './moments.ts';
import type { Timing } from './schedule.ts';

/** The moments of a timing that is known to be one. @param calendar for those of a trading day */
export function timingMoments(timing: Timing, calendar: readonly TradingDay[]): Moments {
  if ('cron' in timing) return cronMoments(timing.cron);
  const edge = parseEdge(timing.at);
  if (edge === undefined) throw new TypeError('a stored moment of a trading day is always one');
  return edgeMoments(edge, calendar);
}
