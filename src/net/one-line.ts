import { stripVTControlCharacters } from 'node:util';

// C0 and C1 controls but line feed; bidirectional overrides and isolates; line and paragraph separators.
const controls =
  /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Text without anything that draws, rings or turns around: a broker's or a rule's words come from elsewhere. */
export function plainText(text: string): string {
  return stripVTControlCharacters(text.replace(/\r\n?/g, '\n')).replace(controls, ' ').toWellFormed();
}

/** As {@link plainText}, on one line of at most `longest` UTF-16 code units; no character is cut in two. */
export function oneLine(text: string, longest: number): string {
  const line = plainText(text).replace(/\s+/g, ' ').trim();
  return line.length <= longest ? line : `${line.slice(0, longest - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}
