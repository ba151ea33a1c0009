import { printableAscii } from '../../text/invisible.ts';
import { Dec } from '../../trading/decimal.ts';

const LONGEST_WORD = 40;

/** Truncates the broker's value to 40 characters, and replaces characters that are not printable ASCII with `?`. */
export function toPrintableBrokerValue(text: string | undefined): string | undefined {
  return typeof text === 'string' ? printableAscii(text, LONGEST_WORD) : text;
}

/** Returns our name for a broker's value, or the value itself if we have no name for it. */
export function translateBrokerValue(ours: Readonly<Record<string, string>>, theirs: string): string {
  return ours[theirs] ?? printableAscii(theirs, LONGEST_WORD);
}

/*
 * Amounts are converted from a JSON number's shortest decimal text, which is what the broker wrote, and never computed
 * from its binary value.
 */

/** Formats a quantity or ratio, with up to 12 decimals. */
export function formatAmount(value: number | string): string {
  return new Dec(String(value)).toDecimalPlaces(12).toFixed();
}

/** Formats dollars, with at least two decimals. */
export function formatMoney(value: number | string | Dec): string {
  const exact = new Dec(String(value)).toDecimalPlaces(12);
  return exact.decimalPlaces() < 2 ? exact.toFixed(2) : exact.toFixed();
}
