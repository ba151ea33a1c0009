import { Dec } from '../../trading/decimal.ts';

/** A share of the whole, `12.3%`. @param fraction of one */
export function weightText(fraction: string): string {
  return `${new Dec(fraction).mul(100).toFixed(1)}%`;
}

/** Eighths of a character, from none to seven. */
const EIGHTHS = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/**
 * A bar as long as a weight beside the largest of all, whose bar has `width` characters. Of a short position, as long as
 * what it would be long: its sign stands in the figure.
 */
export function weightBar(weight: string, all: readonly string[], width: number, unicode: boolean): string {
  const largest = Dec.max(0, ...all.map((one) => new Dec(one).abs()));
  if (largest.isZero()) return '';
  const eighths = new Dec(weight)
    .abs()
    .div(largest)
    .mul(width * 8)
    .round()
    .toNumber();
  if (!unicode) return '#'.repeat(Math.round(eighths / 8));
  return '█'.repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? '');
}
