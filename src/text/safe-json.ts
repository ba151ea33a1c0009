import { replaceHidden } from './shown-text.ts';

/**
 * JSON in which every character that could redraw a terminal, or turn a number around, is an escape: the same ones that
 * `safeText` takes out of text. It parses to the same value as `JSON.stringify` makes.
 */
export function safeJson(value: unknown, indent = 0): string {
  // What JSON.stringify has not escaped already can stand in strings alone.
  return replaceHidden(JSON.stringify(value, null, indent), escaped);
}

function escaped(character: string): string {
  return character
    .split('')
    .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
    .join('');
}
