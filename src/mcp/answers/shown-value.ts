import { safeText } from '../../net/shown-text.ts';

/** UTF-16 code units of one text: as long as a message may be (trading/message.ts). */
const LONGEST_TEXT = 2_000;
const MOST_ENTRIES = 500;
const MOST_DEPTH = 8;

/** A list or an object that an answer has a part of. */
export interface Cut {
  /** Where it is: `bars`, `accounts.0.lots`. */
  readonly field: string;
  readonly shown: number;
  readonly total: number;
}

/**
 * JSON that is told to a model: every text without what hides or draws, and nothing without an end.
 * @param cuts gets what was left out; a text that was cut ends in "…"
 */
export function shownValue(value: unknown, cuts: Cut[], path: readonly string[] = []): unknown {
  if (typeof value === 'string') {
    const text = safeText(value);
    return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT - 1).toWellFormed()}…`;
  }
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined || Array.isArray(value));
  const shown = path.length >= MOST_DEPTH ? [] : entries.slice(0, MOST_ENTRIES);
  if (shown.length < entries.length)
    cuts.push({ field: safeText(path.join('.')).slice(0, 200), shown: shown.length, total: entries.length });
  if (path.length >= MOST_DEPTH) return null;
  const told = shown.map(([name, entry]) => [name, shownValue(entry, cuts, [...path, name])] as const);
  if (Array.isArray(value)) return told.map(([, entry]) => entry);
  return Object.fromEntries(told.map(([name, entry]) => [safeText(name).slice(0, 64), entry]));
}
