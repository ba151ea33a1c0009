import { Dec } from '../../trading/decimal.ts';

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
