import { replaceInvisible } from './sanitize.ts';

/**
 * Returns JSON in which every character that could redraw a terminal or reorder a number is escaped: those that `safeText`
 * removes. It parses to the same value as `JSON.stringify`'s.
 */
export function safeJson(value: unknown, indent = 0): string {
  // Whatever JSON.stringify has not escaped can only be inside strings.
  return replaceInvisible(JSON.stringify(value, null, indent), unicodeEscaped);
}

function unicodeEscaped(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
