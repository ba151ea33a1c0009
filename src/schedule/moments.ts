import { TradeAgentError } from '../errors/errors.ts';
import type { TradingDay } from '../trading/activity.ts';
import { newYorkInstant } from '../trading/new-york-time.ts';

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

/** A moment of each trading day: so many minutes after (before, where negative) the opening or closing. */
interface MarketEdge {
  readonly edge: 'open' | 'close';
  readonly minutes: number;
}

/** Further away it is nearer to another day's edge, and a cron expression says it better. */
const FURTHEST = 12 * 60;

/** Reads `open`, `close-30m`, `open+1h30m`. Undefined where it is none of these. */
export function parseEdge(text: string): MarketEdge | undefined {
  const match = /^(open|close)(?:([+-])(?:(\d{1,3})h)?(?:(\d{1,3})m)?)?$/.exec(text);
  if (match === null || /[+-]$/.test(text)) return undefined;
  const [, edge, sign, hours = '0', minutes = '0'] = match;
  const distance = Number(hours) * 60 + Number(minutes);
  if (distance > FURTHEST) return undefined;
  // Not -0, which no comparison tells from 0 but JSON and tests do.
  return { edge: edge as MarketEdge['edge'], minutes: sign === '-' && distance > 0 ? -distance : distance };
}

/** As {@link parseEdge}. @throws {TradeAgentError} `usage`, with what may have been meant */
export function requireEdge(text: string): MarketEdge {
  const edge = parseEdge(text);
  if (edge !== undefined) return edge;
  throw new TradeAgentError('usage', `"${text}" is no moment of a trading day`, { hint: meant(text) });
}

function meant(text: string): string {
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
    if (parseEdge(guess) !== undefined) return `Did you mean "${guess}"?`;
  }
  if (/^\s*\d{1,2}[:.]\d\d/.test(text))
    return 'For a time of day give --cron: "30 9 * * 1-5" is 9:30 New York time from Monday to Friday.';
  return 'Write "open", "close", or minutes and hours from them: "open+5m", "close-30m", "close-1h30m"; 12h at most.';
}

/** Every zone on Earth is whole quarters of an hour from every other. */
const QUARTER = 15;
/** A field of minutes has 60 at most, so twice as many moments see all of them. */
const ENOUGH = 120;

/**
 * The minutes of each hour at which the machine must start the program to meet a schedule's moments, whatever its own
 * zone and daylight saving: those of the moments, and the quarters of an hour from them. Each of them also catches up
 * what was missed. Oldest first.
 */
export function wakeMinutes(moments: Moments, now: number): number[] {
  const residues = new Set(moments.after(now, ENOUGH).map((moment) => Math.floor(moment / 60_000) % QUARTER));
  return Array.from({ length: 60 }, (_, minute) => minute).filter((minute) => residues.has(minute % QUARTER));
}
