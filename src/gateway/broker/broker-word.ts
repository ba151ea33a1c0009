import { printableAscii } from '../../text/unseen.ts';

/** Characters. */
const LONGEST_WORD = 40;

/** A word of the broker's, which may be one that nobody here knows; what is none stays to be refused. */
export function brokerWord(text: string | undefined): string | undefined {
  return typeof text === 'string' ? printableAscii(text, LONGEST_WORD) : text;
}
