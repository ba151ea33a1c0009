import type { TradingDay } from '../trading/activity.ts';
import { cronMoments } from './cron-expression.ts';
import { parseEdge } from './market-edge.ts';
import { edgeMoments, type Moments } from './moments.ts';
import type { Timing } from './schedule.ts';

/** Expressions whose moments are kept: to read one takes longer than to ask it, and many people have the same. */
const MOST_KEPT = 1_000;
const kept = new Map<string, Moments>();

/** The moments of a timing that is known to be one. @param calendar for those of a trading day */
export function timingMoments(timing: Timing, calendar: readonly TradingDay[]): Moments {
  if ('cron' in timing) return keptMoments(timing.cron);
  const edge = parseEdge(timing.at);
  if (edge === undefined) throw new TypeError('a stored moment of a trading day is always one');
  return edgeMoments(edge, calendar);
}

function keptMoments(cron: string): Moments {
  const known = kept.get(cron);
  if (known !== undefined) return known;
  if (kept.size >= MOST_KEPT) kept.clear();
  const moments = cronMoments(cron);
  kept.set(cron, moments);
  return moments;
}
