import { Decimal } from 'decimal.js';
import { z } from 'zod';

const FRACTION_DECIMALS = 12;

export function fractionOf(part: Dec, whole: Dec): string {
  return whole.isZero() ? '0' : part.div(whole).toDecimalPlaces(FRACTION_DECIMALS).toFixed();
}

/**
 * Money, prices and quantities are decimal strings and are computed with decimal.js, never as floats. A precision of
 * 40 digits represents the product of any two broker amounts exactly.
 */
export const Dec = Decimal.clone({
  precision: 40,
  rounding: Decimal.ROUND_HALF_EVEN,
  toExpNeg: -30,
  toExpPos: 40,
});
export type Dec = Decimal;

export const ZERO = new Dec(0);

/** Returns whether a value is above zero. Faster than `gt(0)`, which has to parse 0. */
export function isPositive(value: Dec): boolean {
  return value.isPositive() && !value.isZero();
}

/**
 * Returns the same as `a.comparedTo(b)` without copying `b`, because a portfolio needs thousands of comparisons. Uses
 * decimal.js's documented properties: sign, exponent and digits.
 */
export function compare(a: Dec, b: Dec): number {
  const [x, y]: [number[] | null, number[] | null] = [a.d, b.d];
  if (x === null || y === null) return a.comparedTo(b);
  if (x[0] === 0 || y[0] === 0) return (x[0] === 0 ? 0 : a.s) - (y[0] === 0 ? 0 : b.s);
  if (a.s !== b.s) return a.s;
  const size = a.e - b.e || compareDigits(x, y);
  return size === 0 ? 0 : size > 0 ? a.s : -a.s;
}

function compareDigits(x: readonly number[], y: readonly number[]): number {
  const shorter = Math.min(x.length, y.length);
  for (let i = 0; i < shorter; i++) {
    const difference = (x[i] as number) - (y[i] as number);
    if (difference !== 0) return difference;
  }
  return x.length - y.length;
}

/** Returns the smaller of two values without copying it, unlike `Dec.min`. */
export const min = (a: Dec, b: Dec): Dec => (compare(a, b) > 0 ? b : a);

export const abs = (value: Dec): Dec => (value.isNegative() ? value.neg() : value);

const plainDecimal = /^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,12})?$/;

/** A plain decimal number: no exponent, leading zeros or plus sign, and at most 12 decimal places. */
export const decimalString = z.string().regex(plainDecimal, 'must be a plain decimal number such as "180.25"');

export const isDecimalString = (text: string): boolean => plainDecimal.test(text);

export const positiveDecimalString = decimalString.refine(
  // Zod runs refinements even if the pattern failed, and Decimal throws on such text.
  (text) => !plainDecimal.test(text) || new Dec(text).gt(0),
  'must be greater than zero',
);

/** @throws {RangeError} if the text is not a plain decimal number */
export function parseDecimal(text: string): Dec {
  if (!plainDecimal.test(text)) throw new RangeError(`not a plain decimal number: ${JSON.stringify(text)}`);
  return new Dec(text);
}

/** Returns the shortest plain form: `"5.00"` → `"5"`, `"0.50"` → `"0.5"`. */
export function toPlain(value: Dec | string): string {
  return new Dec(value).toFixed();
}

/** Rounds a dollar amount half-even to two decimals: `"1234.5"` → `"1234.50"`. */
export function toCents(value: Dec | string): string {
  return new Dec(value).toFixed(2);
}

export interface Tick {
  readonly from: string;
  readonly decimals: number;
  /** Set to omit trailing zeros after the first two decimals, as brokers do for coins. */
  readonly shortest?: true;
}

/** $0.01 at or above $1, $0.0001 below (SEC Rule 612; Alpaca, "Sub-penny increments"). */
export const usTicks: readonly Tick[] = [
  { from: '1', decimals: 2 },
  { from: '0', decimals: 4 },
];

export function tickDecimals(value: Dec | string, ticks: readonly Tick[]): number {
  return findTick(value, ticks)?.decimals ?? 0;
}

function findTick(value: Dec | string, ticks: readonly Tick[]): Tick | undefined {
  const exact = new Dec(value).abs();
  return ticks.find(({ from }) => exact.gte(from));
}

export function formatPrice(value: Dec | string, ticks: readonly Tick[] = usTicks): string {
  const { decimals = 0, shortest = false } = findTick(value, ticks) ?? {};
  const rounded = new Dec(value).toDecimalPlaces(decimals);
  return rounded.toFixed(shortest ? Math.max(2, rounded.decimalPlaces()) : decimals);
}

export function isOnTick(value: string, ticks: readonly Tick[] = usTicks): boolean {
  return parseDecimal(value).decimalPlaces() <= tickDecimals(value, ticks);
}

/** Returns the quantity, negative for a short position. Some brokers omit the minus sign. */
export function signedQty({ side, qty }: { readonly side: 'long' | 'short'; readonly qty: string }): Dec {
  const size = new Dec(qty).abs();
  return side === 'short' ? size.neg() : size;
}
