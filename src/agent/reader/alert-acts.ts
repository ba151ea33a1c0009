import { phrase } from '../../text/phrase.ts';
import type { CheckTime } from '../../tools/alerts.ts';
import type { AlertMention, Intent } from './intent.ts';
import type { Item } from './item.ts';
import type { TemplateMatch } from './match.ts';
import { NotUnderstoodError } from './refusal.ts';
import { isBreakBelow } from './slots.ts';
import { actFirst, requireEnd, Taker } from './taker.ts';

const alertHint = phrase`Try "tell me when AAPL falls below 180".`;

/**
 * Reads "tell me when AAPL falls below 180 or rises above 220", one alert per condition. Returns undefined for other
 * requests.
 */
export function readAlert(items: readonly Item[]): Intent[] | undefined {
  const words = new Taker(actFirst(items, 'alert'));
  const watched = words.take('watch_over my? @ share? comma? and?')?.symbols[0];
  if (words.take('alert') === undefined && words.take('alerts') === undefined) return undefined;
  words.take('comma|colon');
  words.take('if|for|about');
  const named = words.take('the_price? of? my? @ share? the_price?')?.symbols[0];
  const symbol = named ?? (watched !== undefined && words.take('the_price') !== undefined ? watched : undefined);
  const conditions = symbol === undefined ? undefined : readConditions(words);
  if (symbol === undefined || conditions === undefined) return undefined;
  return conditions.map((condition) => ({ kind: 'alert', alert: { symbol, ...condition } }));
}

type Condition = Omit<AlertMention, 'symbol'>;

/** Reads "falls below 180 or above 220". Returns undefined if the words do not begin with a condition. */
function readConditions(words: Taker): Condition[] | undefined {
  words.take('moves? either');
  const first = takeConditions(words);
  if (first === undefined) return undefined;
  const found = [...first];
  for (;;) {
    requireOneSymbol(words);
    const other = words.take('comma? or_less|or_more # per?');
    if (other === undefined && words.take('comma? or|and|comma if? it?') === undefined) break;
    const next = other === undefined ? takeConditions(words) : [bound(other)];
    if (next === undefined) throw new NotUnderstoodError(phrase`This alert is incomplete.`, alertHint);
    found.push(...next);
  }
  requireEnd(words, phrase`alert`, alertHint);
  return found;
}

/** Returns the condition of "or over 150", which follows another condition. */
const bound = (found: TemplateMatch): Condition => ({
  [found.has('or_less') ? 'below' : 'above']: found.quantities[0]?.value ?? '',
});

/** Reads one condition. A percentage "either way" makes two conditions. */
function takeConditions(words: Taker): readonly Condition[] | undefined {
  words.take('aux');
  const percent = words.take('falls|rises|is_down|is_up by_more|above? % a_day? a_day?');
  if (percent !== undefined) {
    const isDown = percent.has('falls') || percent.has('is_down');
    return [{ [isDown ? 'falls_by' : 'rises_by']: `${percent.quantities[0]?.value}%` }];
  }
  const either = words.take('moves by_more|above? % either_way a_day?');
  if (either !== undefined) {
    const limit = `${either.quantities[0]?.value}%`;
    return [{ rises_by: limit }, { falls_by: limit }];
  }
  const condition = takeBreak(words) ?? takeCrossing(words);
  return condition === undefined ? undefined : [condition];
}

/** Reads "falls below 180", "hits 200" or "at 200". */
function takeCrossing(words: Taker): Condition | undefined {
  const crossed = words.take('falls|rises|moves? aux? back? to|at? below|above # per? any_time?');
  if (crossed !== undefined) {
    const side = crossed.has('below') ? 'below' : 'above';
    if (crossed.has(side === 'below' ? 'rises' : 'falls'))
      throw new NotUnderstoodError(phrase`That condition contradicts itself.`, alertHint);
    return { [side]: crossed.quantities[0]?.value ?? '' };
  }
  const reached = words.take('falls|rises|moves? back? to|at? # per? any_time?');
  if (reached === undefined) return undefined;
  const field = reached.has('falls') ? 'below' : reached.has('rises') ? 'above' : 'reaches';
  return { [field]: reached.quantities[0]?.value ?? '' };
}

/** Reads a condition whose verb implies the direction or follows the price. */
function takeBreak(words: Taker): Condition | undefined {
  const found =
    words.take('breaks_below|breaks_above # if_after?') ??
    words.take('falls|rises to? # below|above|post_most|post_least if_after?') ??
    words.take('# if_below|if_above') ??
    words.take('below|above # falls|rises|moves') ??
    words.take('# below|above|post_most|post_least if_moves');
  if (found === undefined) return undefined;
  return { [isBreakBelow(found) ? 'below' : 'above']: found.quantities[0]?.value ?? '' };
}

function requireOneSymbol(words: Taker): void {
  if (words.is('or|and|comma and? my? @'))
    throw new NotUnderstoodError(
      phrase`An alert can watch only one symbol, not "${words.items.at(-1)?.text}" too.`,
      alertHint,
    );
}

export function readStopAlert(items: readonly Item[]): Intent | undefined {
  const words = new Taker(items);
  const found =
    words.take('stop_alerts about? my? @ anymore?') ??
    words.take('remove|cancel|stop all? of? my? my? @ alerts') ??
    words.take('remove|cancel|stop all? of? my? my? alerts about|onto|of|for my? @');
  const symbol = found?.symbols[0];
  if (symbol === undefined) return undefined;
  requireOneSymbol(words);
  requireEnd(words, phrase`alert`, alertHint);
  return { kind: 'stop_alert', symbol };
}

/** Reads "check my alerts every 15 minutes". */
export function readAlertSchedule(items: readonly Item[]): Intent | undefined {
  const words = new Taker(items);
  const found =
    words.take('check on? my? alerts') ??
    words.take('place|add|make|a a? schedule for|to|that|check|my? check? my? alerts');
  if (found === undefined) return undefined;
  const minutes = words.take('every? #n minutes')?.quantities[0]?.value;
  const every =
    minutes === undefined ? checkTimes.find(([, template]) => words.take(template))?.[0] : checkMinutes[minutes];
  if (every !== undefined && words.rest === undefined) return { kind: 'look', every };
  throw new NotUnderstoodError(
    phrase`I can check every 15 minutes, every half hour, every hour, at the open or before the close.`,
    phrase`For other times, use "trade-agent schedule add".`,
  );
}

const checkMinutes: Readonly<Record<string, CheckTime>> = { 15: '15m', 30: '30m', 60: '1h' };
const checkTimes: readonly (readonly [CheckTime, string])[] = [
  ['15m', 'every quarter_hour'],
  ['30m', 'every half_hour'],
  ['1h', 'every? hour'],
  ['open', 'every? daily? morning'],
  ['close', 'every? daily? evening'],
];
