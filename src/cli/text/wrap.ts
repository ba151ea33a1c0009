import stringWidth from 'string-width';
import { safeLine } from '../../text/shown-text.ts';

/** Narrower, and a label's value is a pile of single words. */
const LEAST_VALUE = 20;

/** Breaks a text between words into lines of at most `width` columns; a single word that is wider stays whole. */
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
 * `label value`, the value's further lines below its first one.
 * @param label padded
 * @param width Infinity where a line is never broken
 */
export function labelledLines(label: string, value: string, width: number): string[] {
  const indent = stringWidth(label) + 1;
  const text = safeLine(value);
  const lines = Number.isFinite(width) ? wrapWords(text, Math.max(LEAST_VALUE, width - indent)) : [text];
  return lines.map((line, at) => `${at === 0 ? `${label} ` : ' '.repeat(indent)}${line}`);
}
