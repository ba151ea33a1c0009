import { Dec, plain } from '../decimal.ts';

/** What is held of a symbol, and how much of that no open sale has taken. Shares. */
export interface Held {
  readonly qty: string;
  readonly qty_available: string;
}

/**
 * Shares that a part of a position comes to; never more than asked for, so what nine decimals can't hold stays.
 * @param fraction `"0.5"` is half; `"1"`, the whole, is what no open sale has taken
 */
export function partOfPosition(fraction: string, held: Held): string {
  const base = fraction === '1' ? held.qty_available : held.qty;
  return plain(new Dec(base).times(fraction).toDecimalPlaces(9, Dec.ROUND_DOWN));
}

/** The rule's name, for whoever asks where a quantity comes from: `half of the position`. */
export function partName(fraction: string): string {
  if (fraction === '1') return 'the whole position';
  return fraction === '0.5'
    ? 'half of the position'
    : `${plain(new Dec(fraction).times(100))} % of the position`;
}
