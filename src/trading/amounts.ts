import { cents, Dec, decimal, isPositive, plain, price, type Tick } from './decimal.ts';

const HUNDRED = new Dec(100);

function grouped(digits: string): string {
  const [whole = '', fraction] = digits.split('.');
  const groups = whole.replace(/\B(?=(\d{3})+$)/g, ',');
  return fraction === undefined ? groups : `${groups}.${fraction}`;
}

function withSign(text: string, positive: string): string {
  const negative = text.startsWith('-');
  return `${negative ? '-' : positive}$${grouped(negative ? text.slice(1) : text)}`;
}

/** `"1234.5"` → `$1,234.50`. */
export function dollars(amount: string): string {
  return withSign(cents(amount), '');
}

export function signedDollars(amount: string): string {
  const exact = cents(amount);
  return withSign(exact, decimal(exact).gt(0) ? '+' : '');
}

/** Those of a share; of what costs less than any share does, such as a coin, as many as there are. */
const shownTicks: readonly Tick[] = [
  { from: '1', decimals: 2 },
  { from: '0.01', decimals: 4 },
  { from: '0.000000001', decimals: 9, shortest: true },
  { from: '0', decimals: 4 },
];

/** A price in dollars a share, four decimals below $1, none rounded away below a cent; of something else by its ticks. */
export function sharePrice(amount: string, ticks: readonly Tick[] = shownTicks): string {
  return withSign(price(amount, ticks), '');
}

/** A fraction as a percentage with two decimals: `"0.0123"` → `+1.23%`. */
export function signedPercent(fraction: string | Dec): string {
  const percent = (typeof fraction === 'string' ? decimal(fraction) : fraction).mul(HUNDRED);
  return `${isPositive(percent) ? '+' : ''}${percent.toFixed(2)}%`;
}

/** A day's change in words: `+$5.00 (+0.10%) today`; a change that is not known is not told as none. */
export function todayWords(change: string | null, fraction: string | null): string {
  if (change === null) return 'today’s change unknown';
  return `${signedDollars(change)}${fraction === null ? '' : ` (${signedPercent(fraction)})`} today`;
}

/**
 * A measured fraction as a percentage of at most two decimals: `"0.595659779"` → `59.57%`. Limits use {@link
 * exactPercent}.
 */
export function percent(fraction: string): string {
  const exact = decimal(fraction).mul(HUNDRED);
  const rounded = exact.toDecimalPlaces(2);
  return `${plain(rounded.isZero() ? exact.toSignificantDigits(1) : rounded)}%`;
}

/** A limit or a term as it was set, exact: `"0.00125"` → `0.125%`. */
export function exactPercent(fraction: string): string {
  return `${plain(decimal(fraction).mul(HUNDRED))}%`;
}

export function shares(qty: string): string {
  return grouped(plain(qty));
}
