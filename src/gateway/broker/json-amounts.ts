import { printableAscii } from '../../text/unseen.ts';
import { Dec } from '../../trading/decimal.ts';

/** Characters. */
const LONGEST_WORD = 40;

/** A word of the broker's, which may be one that nobody here knows; what is none stays to be refused. */
export function brokerWord(text: string | undefined): string | undefined {
  return typeof text === 'string' ? printableAscii(text, LONGEST_WORD) : text;
}

/*
 * Amounts as brokers write them in JSON: a number or a decimal string. The shortest text of a number is what the broker
 * wrote; nothing is ever computed with the binary value.
 */

/** A quantity or a ratio, to the 12 decimals that ours have. */
export function amountOf(value: number | string): string {
  return new Dec(String(value)).toDecimalPlaces(12).toFixed();
}

/** Dollars, or dollars a share: cents at least, and all that was written beyond them. */
export function moneyOf(value: number | string | Dec): string {
  const exact = new Dec(String(value)).toDecimalPlaces(12);
  return exact.decimalPlaces() < 2 ? exact.toFixed(2) : exact.toFixed();
}
