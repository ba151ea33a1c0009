import { Decimal } from 'decimal.js';

/*
 * Decimal numbers as whole ones of any size (BigInt) and how many of their digits stand behind the point: what decimal.js
 * says to the last digit (test/unit/trading/number.test.ts), in a fraction of the time. A program that starts for each
 * check runs most of its code for the first time; a whole number's sum is one step of the machine's, and not a page of code.
 */

/** How a digit that is left out changes the last one that stays; as decimal.js numbers them. */
const ROUND_UP = 0;
const ROUND_DOWN = 1;
const ROUND_CEIL = 2;
const ROUND_FLOOR = 3;
const ROUND_HALF_EVEN = 6;
export type Rounding =
  | typeof ROUND_UP
  | typeof ROUND_DOWN
  | typeof ROUND_CEIL
  | typeof ROUND_FLOOR
  | typeof ROUND_HALF_EVEN;

const PRECISION = 40;
/** Beyond these a number is written with an exponent. */
const MOST_ZEROS = 30;
const MOST_DIGITS = 40;
/** What is so many places below another number changes no digit of it: how much it is is not written out. */
const APART = 400;

const powers: bigint[] = [];
for (let power = 1n; powers.length <= 2 * MOST_DIGITS + 20; power *= 10n) powers.push(power);
const tenTo = (exponent: number): bigint => powers[exponent] ?? 10n ** BigInt(exponent);

const written = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

export type NumberLike = DecimalNumber | string | number;

export class DecimalNumber {
  static readonly ROUND_UP = ROUND_UP;
  static readonly ROUND_DOWN = ROUND_DOWN;
  static readonly ROUND_CEIL = ROUND_CEIL;
  static readonly ROUND_FLOOR = ROUND_FLOOR;
  static readonly ROUND_HALF_EVEN = ROUND_HALF_EVEN;

  /** The number is `units` / 10^`scale`. */
  readonly units: bigint;
  readonly scale: number;
  /** Significant digits that results are rounded to. */
  readonly digits: number;

  /**
   * @param digits significant ones that results are rounded to; the number itself is kept as it is
   * @param scale of whole units, how many of their digits stand behind the point
   * @throws {RangeError} for what is no number, or no finite one
   */
  constructor(value: NumberLike | bigint, digits = PRECISION, scale = 0) {
    this.digits = digits;
    if (typeof value === 'bigint') {
      this.units = value;
      this.scale = scale;
    } else if (typeof value === 'object') {
      this.units = value.units;
      this.scale = value.scale;
    } else {
      const text = typeof value === 'number' ? String(value) : value;
      if (!written.test(text)) throw new RangeError(`not a decimal number: ${text}`);
      const mark = Math.max(text.indexOf('e'), text.indexOf('E'));
      const end = mark === -1 ? text.length : mark;
      const exponent = mark === -1 ? 0 : Number(text.slice(mark + 1));
      const point = text.indexOf('.');
      const whole = point === -1 ? text.slice(0, end) : text.slice(0, point) + text.slice(point + 1, end);
      const places = (point === -1 ? 0 : end - point - 1) - exponent;
      this.units = BigInt(whole);
      this.scale = this.units === 0n ? 0 : places;
    }
  }

  /** @throws {RangeError} of nothing */
  static max(...[first = Number.NaN, ...others]: NumberLike[]): DecimalNumber {
    let most = read(first);
    for (const other of others) if (most.comparedTo(other) < 0) most = read(other);
    return most;
  }
  static min(...[first = Number.NaN, ...others]: NumberLike[]): DecimalNumber {
    let least = read(first);
    for (const other of others) if (least.comparedTo(other) > 0) least = read(other);
    return least;
  }
  static sum(...[first = Number.NaN, ...others]: NumberLike[]): DecimalNumber {
    return others.reduce<DecimalNumber>((all, one) => all.plus(one), read(first));
  }

  plus(other: NumberLike): DecimalNumber {
    const y = read(other);
    const [a, b, scale] = alike(this, y);
    return made(a + b, scale, this.digits);
  }
  minus(other: NumberLike): DecimalNumber {
    const y = read(other);
    const [a, b, scale] = alike(this, y);
    return made(a - b, scale, this.digits);
  }
  mul(other: NumberLike): DecimalNumber {
    const y = read(other);
    return made(this.units * y.units, this.scale + y.scale, this.digits);
  }
  times(other: NumberLike): DecimalNumber {
    return this.mul(other);
  }
  div(other: NumberLike): DecimalNumber {
    const y = read(other);
    if (y.units === 0n) throw new RangeError('divided by nothing');
    // So many places that the quotient has a digit or more beyond those that stay.
    const places = Math.max(0, this.digits + 2 + lengthOf(y.units) - lengthOf(this.units));
    const dividend = this.units * tenTo(places);
    const quotient = dividend / y.units;
    const scale = this.scale - y.scale + places;
    if (quotient * y.units === dividend) return made(quotient, scale, this.digits);
    // A digit more says that something is left, so that a half is none.
    return made(quotient * 10n + (this.units < 0n === y.units < 0n ? 1n : -1n), scale + 1, this.digits);
  }
  divToInt(other: NumberLike): DecimalNumber {
    const y = read(other);
    if (y.units === 0n) throw new RangeError('divided by nothing');
    const places = y.scale - this.scale;
    const quotient =
      places < 0 ? this.units / (y.units * tenTo(-places)) : (this.units * tenTo(places)) / y.units;
    return made(quotient, 0, this.digits);
  }
  neg(): DecimalNumber {
    return new DecimalNumber(-this.units, this.digits, this.scale);
  }
  abs(): DecimalNumber {
    return this.units < 0n ? this.neg() : this;
  }

  comparedTo(other: NumberLike): number {
    const [a, b] = alike(this, read(other));
    return a < b ? -1 : a > b ? 1 : 0;
  }
  eq(other: NumberLike): boolean {
    return this.comparedTo(other) === 0;
  }
  gt(other: NumberLike): boolean {
    return this.comparedTo(other) > 0;
  }
  gte(other: NumberLike): boolean {
    return this.comparedTo(other) >= 0;
  }
  lt(other: NumberLike): boolean {
    return this.comparedTo(other) < 0;
  }
  lte(other: NumberLike): boolean {
    return this.comparedTo(other) <= 0;
  }
  isZero(): boolean {
    return this.units === 0n;
  }
  isNegative(): boolean {
    return this.units < 0n;
  }
  isPositive(): boolean {
    return this.units >= 0n;
  }
  isInteger(): boolean {
    return this.scale <= 0 || this.units % tenTo(this.scale) === 0n;
  }

  decimalPlaces(): number {
    return shortest(this).scale;
  }
  toDecimalPlaces(places: number, rounding: Rounding = ROUND_HALF_EVEN): DecimalNumber {
    if (this.scale <= places) return this;
    return new DecimalNumber(rounded(this.units, this.scale - places, rounding), this.digits, places);
  }
  ceil(): DecimalNumber {
    return this.toDecimalPlaces(0, ROUND_CEIL);
  }
  round(): DecimalNumber {
    return this.toDecimalPlaces(0);
  }
  floor(): DecimalNumber {
    return this.toDecimalPlaces(0, ROUND_FLOOR);
  }

  /** Without an exponent; the shortest form, or with so many places. */
  toFixed(places?: number, rounding: Rounding = ROUND_HALF_EVEN): string {
    const { units, scale } = shortest(places === undefined ? this : this.toDecimalPlaces(places, rounding));
    const digits = String(units < 0n ? -units : units).padStart(scale + 1, '0');
    const whole = scale === 0 ? digits : digits.slice(0, -scale);
    const fraction = (scale === 0 ? '' : digits.slice(-scale)).padEnd(places ?? 0, '0');
    return `${this.units < 0n ? '-' : ''}${whole}${fraction === '' ? '' : '.'}${fraction}`;
  }
  toString(): string {
    const exponent = lengthOf(this.units) - 1 - this.scale;
    return exponent >= MOST_DIGITS || exponent <= -MOST_ZEROS ? library(this).toString() : this.toFixed();
  }
  toJSON(): string {
    return this.toString();
  }
  toNumber(): number {
    return Number(this.toFixed());
  }

  sqrt(): DecimalNumber {
    return this.#by(library(this).sqrt());
  }
  exp(): DecimalNumber {
    return exponential(this) ?? this.#by(library(this).exp());
  }
  pow(exponent: NumberLike): DecimalNumber {
    return this.#by(library(this).pow(library(read(exponent))));
  }
  #by(result: Decimal): DecimalNumber {
    return new DecimalNumber(result.toString(), this.digits);
  }
}

const read = (value: NumberLike): DecimalNumber =>
  typeof value === 'object' ? value : new DecimalNumber(value);

/** Both in the same places. */
function alike(x: DecimalNumber, y: DecimalNumber): [bigint, bigint, number] {
  const more = x.scale - y.scale;
  if (more === 0) return [x.units, y.units, x.scale];
  if (more < 0) {
    const [b, a, scale] = alike(y, x);
    return [a, b, scale];
  }
  if (more <= APART) return [x.units, y.units * tenTo(more), x.scale];
  // An exponent may have any size: e to a large number is a step of a search.
  if (y.units === 0n) return [x.units, y.units, x.scale];
  const beyond = more - lengthOf(x.units);
  if (beyond <= APART) return [x.units, y.units * tenTo(more), x.scale];
  return [signOf(x.units), y.units * tenTo(APART), y.scale + APART];
}

/** Rounded to its significant digits. */
function made(units: bigint, scale: number, digits: number): DecimalNumber {
  // Nothing has no places: products of it would have ever more.
  if (units === 0n) return new DecimalNumber(units, digits);
  const limit = tenTo(digits);
  if (units < limit && units > -limit) return new DecimalNumber(units, digits, scale);
  const more = lengthOf(units) - digits;
  return new DecimalNumber(rounded(units, more, ROUND_HALF_EVEN), digits, scale - more);
}

function rounded(units: bigint, places: number, rounding: Rounding): bigint {
  if (places > APART && places > lengthOf(units)) return rounded(signOf(units), 1, rounding);
  const unit = tenTo(places);
  const quotient = units / unit;
  const rest = units - quotient * unit;
  if (rest === 0n) return quotient;
  const away = signOf(rest);
  switch (rounding) {
    case ROUND_DOWN:
      return quotient;
    case ROUND_UP:
      return quotient + away;
    case ROUND_CEIL:
      return away > 0n ? quotient + 1n : quotient;
    case ROUND_FLOOR:
      return away < 0n ? quotient - 1n : quotient;
    case ROUND_HALF_EVEN: {
      const twice = rest * away * 2n;
      return twice > unit || (twice === unit && quotient % 2n !== 0n) ? quotient + away : quotient;
    }
  }
}

const signOf = (units: bigint): bigint => (units < 0n ? -1n : units === 0n ? 0n : 1n);

/** How many digits it has; one of nothing. By its hexadecimal ones, which are made at once. */
function lengthOf(units: bigint): number {
  const size = units < 0n ? -units : units;
  let length = Math.max(1, Math.floor((size.toString(16).length - 1) * 1.204));
  while (size >= tenTo(length)) length++;
  return length;
}

/** Without places that say nothing. */
function shortest({ units, scale }: DecimalNumber): { units: bigint; scale: number } {
  while (scale > 0 && units % 10n === 0n) {
    units /= 10n;
    scale--;
  }
  return scale < 0 ? { units: units * tenTo(-scale), scale: 0 } : { units, scale };
}

/** e to a number up to this is worked out here. */
const LARGEST_POWER = 50n;
/** Digits that it is worked out to beyond those that stay: half of them are lost on the way. */
const SPARE = 40;

/**
 * e to a number: by its series where the number is halved until it is small, and squared as often. Undefined where the
 * digits that were worked out don't tell how to round, and for large numbers.
 */
function exponential({ units, scale, digits }: DecimalNumber): DecimalNumber | undefined {
  const places = digits + SPARE;
  const one = tenTo(places);
  if (units === 0n || scale < 0 || scale > places) return undefined;
  let small = (units < 0n ? -units : units) * tenTo(places - scale);
  if (small > LARGEST_POWER * one) return undefined;
  let halved = 0;
  for (; small << 8n > one; halved++) small >>= 1n;
  let sum = one;
  let term = one;
  for (let n = 1n; term !== 0n; n++) {
    term = (term * small) / (one * n);
    sum += term;
  }
  for (; halved > 0; halved--) sum = (sum * sum) / one;
  if (units < 0n) sum = (one * one) / sum;
  const unit = tenTo(lengthOf(sum) - digits);
  const fromHalf = (sum % unit) * 2n - unit;
  // Wrong by less than a millionth of the last digit that stays.
  return fromHalf * fromHalf * 1_000_000_000_000n < unit * unit ? undefined : made(sum, places, digits);
}

const libraries = new Map<number, typeof Decimal>();

/** The same number of decimal.js, for what is no sum, product or quotient. */
function library({ units, scale, digits }: DecimalNumber): Decimal {
  let Library = libraries.get(digits);
  if (Library === undefined) {
    Library = Decimal.clone({
      precision: digits,
      rounding: Decimal.ROUND_HALF_EVEN,
      toExpNeg: -MOST_ZEROS,
      toExpPos: MOST_DIGITS,
    });
    libraries.set(digits, Library);
  }
  return new Library(`${units}e${-scale}`);
}
