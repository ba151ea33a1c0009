import { printableAscii } from '../../text/unseen.ts';
import { Dec } from '../../trading/decimal.ts';

const LONGEST_WORD = 40;

/** A broker's word, known or not; anything but printable ASCII is left for the schema to refuse. */
export function brokerWord(text: string | undefined): string | undefined {
  return typeof text === 'string' ? printableAscii(text, LONGEST_WORD) : text;
}

/** Our word for a broker's, or the broker's own. */
export function ourWord(ours: Readonly<Record<string, string>>, theirs: string): string {
  return ours[theirs] ?? printableAscii(theirs, LONGEST_WORD);
}

/* A JSON number's shortest text is what the broker wrote; the binary value is never computed with. */

/** A quantity or ratio, to 12 decimals. */
export function amountOf(value: number | string): string {
  return new Dec(String(value)).toDecimalPlaces(12).toFixed();
}

/** Dollars, with at least cents. */
export function moneyOf(value: number | string | Dec): string {
  const exact = new Dec(String(value)).toDecimalPlaces(12);
  return exact.decimalPlaces() < 2 ? exact.toFixed(2) : exact.toFixed();
}
