import { TradeAgentError } from '../errors/errors.ts';
import type { TradingDay } from '../trading/activity.ts';
import { newYorkInstant } from '../trading/new-york-time.ts';

/** The times at which a schedule is due, in milliseconds since the epoch, independent of the machine's time zone. */
export interface RunTimes {
  /** Returns the latest run times until `now`, inclusive, newest first. `most` limits their number. */
  upTo(now: number, most: number): number[];
  /** Returns the next `count` run times after `now`, oldest first. */
  after(now: number, count: number): number[];
}

/** Returns the run times relative to the opening or closing of each trading day, including half-days. */
export function runTimesForMarketTime(edge: MarketTime, calendar: readonly TradingDay[]): RunTimes {
  const all = calendar
    .map((day) => newYorkInstant(day.date, day[edge.edge]) + edge.minutes * 60_000)
    .sort((a, b) => a - b);
  return {
    upTo: (now, most) =>
      all
        .filter((runTime) => runTime <= now)
        .slice(-most)
        .reverse(),
    after: (now, count) => all.filter((runTime) => runTime > now).slice(0, count),
  };
}

/** A time relative to the opening or closing of each trading day. `minutes` is negative if the time is earlier. */
interface MarketTime {
  readonly edge: 'open' | 'close';
  readonly minutes: number;
}

/** Maximum distance from the opening or closing, in minutes. For times further away, a cron expression is better. */
const MAX_EDGE_MINUTES = 12 * 60;

/** Parses a time such as `open`, `close-30m` or `open+1h30m`; undefined for anything else. */
export function parseMarketTime(text: string): MarketTime | undefined {
  const match = /^(open|close)(?:([+-])(?:(\d{1,3})h)?(?:(\d{1,3})m)?)?$/.exec(text);
  if (match === null || /[+-]$/.test(text)) return undefined;
  const [, edge, sign, hours = '0', minutes = '0'] = match;
  const distance = Number(hours) * 60 + Number(minutes);
  if (distance > MAX_EDGE_MINUTES) return undefined;
  // Avoids -0, which JSON and tests distinguish from 0.
  return { edge: edge as MarketTime['edge'], minutes: sign === '-' && distance > 0 ? -distance : distance };
}

/** Like {@link parseMarketTime}, but throws. @throws {TradeAgentError} `usage`, with a suggestion */
export function requireMarketTime(text: string): MarketTime {
  const edge = parseMarketTime(text);
  if (edge !== undefined) return edge;
  throw new TradeAgentError('usage', `"${text}" is not a time of a trading day`, { hint: edgeHint(text) });
}

function edgeHint(text: string): string {
  const loose =
    /^\s*(\d+)?\s*(m|min|minutes?|h|hours?)?\s*(before|after)?\s*(the\s+)?(open|close|opening|closing)\s*([+-])?\s*(\d+)?\s*(m|min|minutes?|h|hours?)?\s*$/i.exec(
      text,
    );
  const [, before, unitBefore, side, , word = '', sign, after, unitAfter] = loose ?? [];
  const edge = word.toLowerCase().startsWith('open') ? 'open' : 'close';
  const distance = before ?? after;
  if (loose !== null && distance !== undefined) {
    const unit = /^h/i.test(unitBefore ?? unitAfter ?? 'm') ? 'h' : 'm';
    const guess = `${edge}${sign ?? (side?.toLowerCase() === 'before' ? '-' : '+')}${distance}${unit}`;
    if (parseMarketTime(guess) !== undefined) return `Did you mean "${guess}"?`;
  }
  if (/^\s*\d{1,2}[:.]\d\d/.test(text))
    return 'For a time of day, use --cron: "30 9 * * 1-5" is 9:30 New York time from Monday to Friday.';
  return 'Use "open" or "close", or an offset of up to 12 hours: "open+5m", "close-30m", "close-1h30m".';
}

/** The unit of time zone offsets, in minutes: all offsets are multiples of a quarter of an hour. */
const QUARTER_MINUTES = 15;
/** Number of run times to examine. A minute field has at most 60 values, so 120 run times include all of them. */
const EXAMINED_RUNS = 120;

/**
 * Returns the minutes of each hour at which the machine must start the program, in ascending order and for any time
 * zone of the machine: the run times' minutes, and 15, 30 and 45 minutes after them. Each wake-up also catches up on
 * missed run times.
 */
export function wakeMinutes(runTimes: RunTimes, now: number): number[] {
  const residues = new Set(
    runTimes.after(now, EXAMINED_RUNS).map((runTime) => Math.floor(runTime / 60_000) % QUARTER_MINUTES),
  );
  return Array.from({ length: 60 }, (_, minute) => minute).filter((minute) => residues.has(minute % QUARTER_MINUTES));
}
