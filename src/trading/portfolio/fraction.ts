import type { Dec } from '../decimal.ts';

/** As many decimals as our decimal strings have at most. */
const PLACES = 12;

/** A part of a whole as a decimal string; of nothing, nothing. */
export function fractionOf(part: Dec, whole: Dec): string {
  return whole.isZero() ? '0' : part.div(whole).toDecimalPlaces(PLACES).toFixed();
}
