import { replaceInvisibleCharacters } from './sanitize.ts';

/**
 * Returns JSON in which every character that could redraw a terminal or reorder a number is escaped (the characters
 * that `safeText` removes). The result parses to the same value as the output of `JSON.stringify`.
 */
export function safeJson(value: unknown, indent = 0): string {
  // Characters that JSON.stringify has not escaped occur only inside strings.
  return replaceInvisibleCharacters(JSON.stringify(value, null, indent), unicodeEscaped);
}

function unicodeEscaped(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
