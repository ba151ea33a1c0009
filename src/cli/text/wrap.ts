import stringWidth from 'string-width';
import { safeLine } from '../../text/sanitize.ts';

/** Minimum width of a value. In a narrower column, a value would wrap after every word. */
const MIN_VALUE_WIDTH = 20;

/** Wraps text into lines of at most `width` columns. Does not break words, even if they are longer. */
export function wrapWords(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((part) => part !== '')) {
    if (line !== '' && stringWidth(line) + 1 + stringWidth(word) > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}

/**
 * Returns a label and its value, with continuation lines aligned with the value.
 * @param width Infinity disables wrapping
 */
export function labeledLines(label: string, value: string, width: number): string[] {
  const indent = stringWidth(label) + 1;
  const text = safeLine(value);
  const lines = Number.isFinite(width) ? wrapWords(text, Math.max(MIN_VALUE_WIDTH, width - indent)) : [text];
  return lines.map((line, at) => `${at === 0 ? `${label} ` : ' '.repeat(indent)}${line}`);
}
