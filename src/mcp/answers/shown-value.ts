import { safeText } from '../../net/shown-text.ts';

/** UTF-16 code units of one text: as long as a message may be (trading/message.ts). */
const LONGEST_TEXT = 2_000;
const MOST_ENTRIES = 500;
const MOST_DEPTH = 8;

/** JSON that is told to a model: every text without what hides or draws, and nothing without an end. */
export function shownValue(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') {
    const text = safeText(value);
    return text.length <= LONGEST_TEXT ? text : `${text.slice(0, LONGEST_TEXT - 1).toWellFormed()}…`;
  }
  if (typeof value !== 'object' || value === null) return value;
  if (depth >= MOST_DEPTH) return null;
  if (Array.isArray(value)) return value.slice(0, MOST_ENTRIES).map((entry) => shownValue(entry, depth + 1));
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, MOST_ENTRIES)
      .filter(([, entry]) => entry !== undefined)
      .map(([name, entry]) => [safeText(name).slice(0, 64), shownValue(entry, depth + 1)]),
  );
}
