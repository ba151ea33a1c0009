import { formatTimeOfDay } from '../../trading/date-words.ts';
import type { Recurrence } from '../../trading/mandate/standing-order.ts';
import { defined } from '../../values/defined.ts';
import { NotUnderstoodError } from './words.ts';

/** When the gateway places a standing order, as arguments of the tool `place_standing_order`. */
export interface ScheduleMention {
  readonly every?: Recurrence;
  /** `HH:MM` in New York. */
  readonly at?: string;
  readonly below?: string;
  readonly above?: string;
  readonly until?: string;
  readonly before?: string;
}

export interface TimedSentence {
  readonly rest: string;
  readonly when: ScheduleMention;
  /** The symbol whose price the order waits for: `NVDA` in "if NVDA falls below 100". */
  readonly of?: string;
}

const WEEKDAYS = 'monday|tuesday|wednesday|thursday|friday';
const MONTHS = 'january february march april may june july august september october november december'.split(' ');
const MONTH = MONTHS.map((month) => `${month.slice(0, 3)}(?:${month.slice(3)})?`).join('|');

const everyDay = new RegExp(
  `\\b(?:every|each|on every|on each) (trading day|day|weekday|business day|market day|${WEEKDAYS}|month)\\b|\\bon (${WEEKDAYS})s\\b|\\b(?:every|each) week on (${WEEKDAYS})s?\\b|\\bweekly on (${WEEKDAYS})s?\\b`,
  'i',
);
const firstOfMonth =
  /\b(?:on )?(?:the )?(?:1st|first)(?: day)? of (?:every|each|the) month\b|\b(?:every|each) month on (?:the|its) (?:1st|first)\b/i;
const dayOfMonth = /\b(\d{1,2})(?:st|nd|rd|th) of (?:every|each|the) month\b|\bmonth on the (\d{1,2})\b/i;
const someWeek = /\b(?:every|each) week\b|\bweekly\b/i;
const zone = '(?: (?:new york(?: time)?|ny(?: time)?|et|est|edt|eastern(?: time)?))?';
const clockTime = new RegExp(`\\bat (\\d{1,2})(?::(\\d\\d))? ?(am|pm|a\\.m\\.|p\\.m\\.)?${zone}(?=$|[ ,])`, 'i');
const namedTime = /\b(?:at|on) (?:the )?(?:market(?:'s)? )?(open|opening)\b|\bat (noon)\b/i;

const falling = ['falls', 'drops', 'dips', 'sinks', 'slips'];
const rising = ['rises', 'climbs', 'jumps'];
const moves = [...falling, ...rising, 'goes', 'gets', 'is', 'trades', 'moves', 'comes'].join('|');
const crossing = new RegExp(
  `\\b(?:if|when|once|as soon as) (it|the price|its price|the stock|[A-Za-z][A-Za-z.]{0,20})(?:'s price)? (${moves}) (?:back |down |up )?(?:to )?(below|under|above|over) \\$?(\\d[\\d,]*(?:\\.\\d+)?)(?: dollars| usd)?(?=$|[ ,])(?! (?:percent|%|cents|times|average))`,
  'i',
);
/** Matches "drops to 200", which may mean "at 200" or "below 200", so the planner asks. */
const reaching = new RegExp(
  `\\b(if|when|once|as soon as) (it|the price|[A-Za-z][A-Za-z.]{0,20}) (${moves}|hits|reaches|touches) (?:back |down |up )?(?:to |at )?\\$?(\\d[\\d,]*(?:\\.\\d+)?)(?=$|[ ,])`,
  'i',
);
const end = new RegExp(
  `\\b(before|until|till|til|by|through) (?:and including )?(?:(next|this|coming|this coming) )?(${WEEKDAYS}|saturday|sunday|today|tomorrow|20\\d\\d-\\d\\d-\\d\\d|(?:the )?(\\d{1,2})(?:st|nd|rd|th)?(?: of)? (${MONTH})\\.?(?:,? (20\\d\\d))?|(${MONTH})\\.? (?:the )?(\\d{1,2})(?:st|nd|rd|th)?(?:,? (20\\d\\d))?)(?=$|[ ,])`,
  'i',
);

export const scheduleHint =
  'The gateway can place orders "every Monday", "every trading day at 11:30", "every month" (on its 1st), or once "if it falls below 100" (docs/guide/MANDATES.md).';

/** @throws {NotUnderstoodError} if the schedule is ambiguous or not supported */
export function takeSchedule(clause: string): TimedSentence | undefined {
  const crossed = crossing.exec(clause);
  const recurring = readEvery(clause);
  if (crossed === null) {
    if (recurring === undefined) {
      askAboutNearMiss(clause);
      return undefined;
    }
    const timed = takeTime(recurring.rest);
    const { rest, when } = takeEnd(timed.rest);
    return { rest, when: { every: recurring.every, ...defined({ at: timed.at }), ...when } };
  }
  if (recurring !== undefined) {
    throw new NotUnderstoodError('An order can wait for a day or for a price, but not for both.', scheduleHint);
  }
  const [span, of = '', verb = '', direction = '', price = ''] = crossed;
  const { rest, when } = takeEnd(removeSpan(clause, span));
  const isNamed = !['it', 'the price', 'its price', 'the stock'].includes(of.toLowerCase());
  return {
    rest,
    when: { ...toCrossing(verb, direction, price.replaceAll(',', '')), ...when },
    ...(isNamed ? { of } : {}),
  };
}

function removeSpan(text: string, span: string): string {
  return text
    .replace(span, ' ')
    .replace(/\s+/g, ' ')
    .replace(/^[\s,]+|[\s,]+$/g, '');
}

function readEvery(clause: string): { every: Recurrence; rest: string } | undefined {
  const first = firstOfMonth.exec(clause);
  if (first !== null) return { every: 'month', rest: removeSpan(clause, first[0]) };
  const other = dayOfMonth.exec(clause);
  if (other !== null) {
    throw new NotUnderstoodError(
      'Monthly orders are placed only on the 1st.',
      'Say "every month", or a day of the week: "every Monday".',
    );
  }
  const found = everyDay.exec(clause);
  if (found !== null) {
    const day = (found[1] ?? found[2] ?? found[3] ?? found[4] ?? '').toLowerCase();
    const isDay = /day$/.test(day) && !new RegExp(`^(?:${WEEKDAYS})$`).test(day);
    return { every: isDay ? 'day' : (day as Recurrence), rest: removeSpan(clause, found[0]) };
  }
  if (someWeek.test(clause)) {
    throw new NotUnderstoodError('On which day of the week?', 'Say "every Monday", or another day.');
  }
  return undefined;
}

function takeTime(text: string): { rest: string; at?: string } {
  const named = namedTime.exec(text);
  if (named !== null) return { rest: removeSpan(text, named[0]), at: named[2] === undefined ? '09:30' : '12:00' };
  const [span = '', hour = '', minute, half] = clockTime.exec(text) ?? [];
  // "at 180" is a price, not a time.
  if (minute === undefined && half === undefined) return { rest: text };
  return { rest: removeSpan(text, span), at: sessionTime(Number(hour), minute ?? '00', half) };
}

/** Returns the time as `HH:MM`. @throws {NotUnderstoodError} outside market hours */
function sessionTime(hour: number, minute: string, half: string | undefined): string {
  const isAfternoon = half?.toLowerCase().startsWith('p') ?? false;
  const hours = (half === undefined ? hour : hour % 12) + (isAfternoon ? 12 : 0);
  const at = `${String(hours).padStart(2, '0')}:${minute}`;
  if (/^(09:[3-5]\d|1[0-4]:[0-5]\d|15:[0-5]\d)$/.test(at)) return at;
  throw new NotUnderstoodError(
    half === undefined && hours < 4
      ? `Do you mean ${formatTimeOfDay(`${hours + 12}:${minute}`)} New York time?`
      : `The market is closed at ${formatTimeOfDay(at)} New York time.`,
    'Give a time from 9:30 AM to 3:59 PM New York time, as in "at 11:30".',
  );
}

function toCrossing(verb: string, direction: string, price: string): ScheduleMention {
  const isBelow = /below|under/i.test(direction);
  if ((isBelow ? rising : falling).includes(verb.toLowerCase())) {
    throw new NotUnderstoodError(`"${verb} ${direction}" contradicts itself.`, scheduleHint);
  }
  return isBelow ? { below: price } : { above: price };
}

function takeEnd(text: string): { rest: string; when: ScheduleMention } {
  const found = end.exec(text);
  if (found === null) return { rest: text, when: {} };
  const [span, word = '', which = '', day = '', monthDay, month, year, month2, monthDay2, year2] = found;
  if (which.toLowerCase() === 'next') {
    throw new NotUnderstoodError(
      `Which ${day} is "next ${day}"?`,
      `Say the date, as in "${word} December 18", or "${word} ${day}" for the first one from today.`,
    );
  }
  const said = toDate(monthDay ?? monthDay2, month ?? month2, year ?? year2) ?? day.toLowerCase();
  return {
    rest: removeSpan(text, span),
    when: word.toLowerCase() === 'before' ? { before: said } : { until: said },
  };
}

function toDate(day?: string, month?: string, year?: string): string | undefined {
  if (day === undefined || month === undefined) return undefined;
  const at = MONTHS.findIndex((name) => name.startsWith(month.slice(0, 3).toLowerCase())) + 1;
  const date = `${String(at).padStart(2, '0')}-${day.padStart(2, '0')}`;
  return year === undefined ? date : `${year}-${date}`;
}

/** @throws {NotUnderstoodError} with a question if the clause contains something that is almost a schedule */
function askAboutNearMiss(clause: string): void {
  if (!/^(?:buy|sell)\b/i.test(clause)) return;
  const found = reaching.exec(clause);
  if (found === null) return;
  const [span, word = '', of = '', verb = '', price = ''] = found;
  const isDown = falling.includes(verb.toLowerCase());
  if (!isDown && !rising.includes(verb.toLowerCase())) {
    throw new NotUnderstoodError(
      `Do you mean below ${price}, or above?`,
      `Say "${word} ${of} falls below ${price}" or "${word} ${of} rises above ${price}".`,
    );
  }
  const instead = `${word} ${of} ${verb} ${isDown ? 'below' : 'above'} ${price}`;
  const offer = clause.replace(span, instead);
  throw new NotUnderstoodError(
    `Did you mean "${offer}"?`,
    'Nothing has been done yet. Say "yes", or rephrase the request.',
    'usage',
    offer,
  );
}
