import { Dec, formatPrice, isPositive, parseDecimal, type Tick, toCents, toPlain } from './decimal.ts';

const HUNDRED = new Dec(100);

function groupThousands(digits: string): string {
  const [whole = '', fraction] = digits.split('.');
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? groups : `${groups}.${fraction}`;
}

function formatSigned(text: string, positive: string): string {
  const negative = text.startsWith('-');
  return `${negative ? '-' : positive}$${groupThousands(negative ? text.slice(1) : text)}`;
}

/** Formats dollars to the cent: `"1234.5"` → `$1,234.50`. */
export function formatDollarAmount(amount: string): string {
  return formatSigned(toCents(amount), '');
}

export function formatSignedDollars(amount: string): string {
  const exact = toCents(amount);
  return formatSigned(exact, parseDecimal(exact).gt(0) ? '+' : '');
}

/** Ticks for displayed prices. A price below one cent, as for some coins, keeps all of its decimals. */
const displayTicks: readonly Tick[] = [
  { from: '1', decimals: 2 },
  { from: '0.01', decimals: 4 },
  { from: '0.000000001', decimals: 9, shortest: true },
  { from: '0', decimals: 4 },
];

/** Formats a price in dollars. The default ticks show four decimals below $1 and every decimal below one cent. */
export function formatSharePrice(amount: string, ticks: readonly Tick[] = displayTicks): string {
  return formatSigned(formatPrice(amount, ticks), '');
}

/** Formats a fraction as a signed percentage with two decimals: `"0.0123"` → `+1.23%`. */
export function formatSignedPercent(fraction: string | Dec): string {
  const percent = (typeof fraction === 'string' ? parseDecimal(fraction) : fraction).mul(HUNDRED);
  return `${isPositive(percent) ? '+' : ''}${percent.toFixed(2)}%`;
}

/** Formats a day's change: `+$5.00 (+0.10%) today`. An unknown change is shown as unknown, never as zero. */
export function formatTodayChange(change: string | null, fraction: string | null): string {
  if (change === null) return 'today’s change unknown';
  return `${formatSignedDollars(change)}${fraction === null ? '' : ` (${formatSignedPercent(fraction)})`} today`;
}

/** Formats a fraction as a percentage, rounded: `"0.595659779"` → `59.57%`. For limits, use `formatExactPercent`. */
export function formatPercent(fraction: string): string {
  const exact = parseDecimal(fraction).mul(HUNDRED);
  const rounded = exact.toDecimalPlaces(2);
  return `${toPlain(rounded.isZero() ? exact.toSignificantDigits(1) : rounded)}%`;
}

/** Formats a fraction as a percentage without rounding, for limits and order terms: `"0.00125"` → `0.125%`. */
export function formatExactPercent(fraction: string): string {
  return `${toPlain(parseDecimal(fraction).mul(HUNDRED))}%`;
}

export function formatShares(qty: string): string {
  return groupThousands(toPlain(qty));
}
