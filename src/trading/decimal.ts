import { Decimal } from 'decimal.js';
import { z } from 'zod';

const PLACES = 12;

export function fractionOf(part: Dec, whole: Dec): string {
  return whole.isZero() ? '0' : part.div(whole).toDecimalPlaces(PLACES).toFixed();
}

/**
 * Money, prices and quantities are decimal strings, computed with decimal.js and never as floats. 40 digits hold any
 * product of two broker amounts exactly.
 */
export const Dec = Decimal.clone({
  precision: 40,
  rounding: Decimal.ROUND_HALF_EVEN,
  toExpNeg: -30,
  toExpPos: 40,
});
export type Dec = Decimal;

export const ZERO = new Dec(0);

/** More than nothing; without the parsing of `gt(0)`. */
export function isPositive(value: Dec): boolean {
  return value.isPositive() && !value.isZero();
}

/**
 * As `a.comparedTo(b)`, without the copy it makes of `b`: portfolios compare thousands of times. Uses decimal.js's
 * documented parts: sign, exponent, digits.
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

/** The smaller of two, itself: `Dec.min` makes a copy. */
export const lesser = (a: Dec, b: Dec): Dec => (compare(a, b) > 0 ? b : a);

export const magnitude = (value: Dec): Dec => (value.isNegative() ? value.neg() : value);

const plainDecimal = /^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,12})?$/;

/** A decimal number written plainly: no exponent, no leading zeros, no plus sign, at most 12 decimals. */
export const decimalString = z
  .string()
  .regex(plainDecimal, 'must be a plain decimal number such as "180.25"');

export const isDecimalString = (text: string): boolean => plainDecimal.test(text);

export const positiveDecimalString = decimalString.refine(
  // Refinements also run on what the pattern has already refused, and Decimal throws on that.
  (text) => !plainDecimal.test(text) || new Dec(text).gt(0),
  'must be greater than zero',
);

/** @throws {RangeError} if the text is not a plain decimal number */
export function decimal(text: string): Dec {
  if (!plainDecimal.test(text)) throw new RangeError(`not a plain decimal number: ${JSON.stringify(text)}`);
  return new Dec(text);
}

/** The shortest plain form: `"5.00"` → `"5"`, `"0.50"` → `"0.5"`. */
export function plain(value: Dec | string): string {
  return new Dec(value).toFixed();
}

/** A dollar amount with two decimals, half-even: `"1234.5"` → `"1234.50"`. */
export function cents(value: Dec | string): string {
  return new Dec(value).toFixed(2);
}

export interface Tick {
  readonly from: string;
  readonly decimals: number;
  /** Written with no more decimals than it needs, two at least, where brokers don't fill them up. */
  readonly shortest?: true;
}

/** $0.01 from $1 up, $0.0001 below (SEC rule 612; Alpaca, "Sub-penny increments"). */
export const usTicks: readonly Tick[] = [
  { from: '1', decimals: 2 },
  { from: '0', decimals: 4 },
];

export function tickDecimals(value: Dec | string, ticks: readonly Tick[]): number {
  return tickAt(value, ticks)?.decimals ?? 0;
}

function tickAt(value: Dec | string, ticks: readonly Tick[]): Tick | undefined {
  const exact = new Dec(value).abs();
  return ticks.find(({ from }) => exact.gte(from));
}

export function price(value: Dec | string, ticks: readonly Tick[] = usTicks): string {
  const { decimals = 0, shortest = false } = tickAt(value, ticks) ?? {};
  const rounded = new Dec(value).toDecimalPlaces(decimals);
  return rounded.toFixed(shortest ? Math.max(2, rounded.decimalPlaces()) : decimals);
}

export function isOnTick(value: string, ticks: readonly Tick[] = usTicks): boolean {
  return decimal(value).decimalPlaces() <= tickDecimals(value, ticks);
}

/** Below zero for a short position: brokers write its quantity with or without the minus sign. */
export function signedQty({ side, qty }: { readonly side: 'long' | 'short'; readonly qty: string }): Dec {
  const size = new Dec(qty).abs();
  return side === 'short' ? size.neg() : size;
}
