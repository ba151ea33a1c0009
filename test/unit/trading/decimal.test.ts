import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  abs,
  compare,
  Dec,
  formatPrice,
  isOnTick,
  min,
  parseDecimal,
  toCents,
  toPlain,
} from '../../../src/trading/decimal.ts';
import { Rate } from '../../../src/trading/portfolio/value-point.ts';
import { always, alwaysIn } from '../../fixtures/always.ts';

describe('decimal amounts', () => {
  it('are exact where binary floats are not', () => {
    expect(toPlain(parseDecimal('0.1').plus('0.2'))).toBe('0.3');
    expect(toPlain(parseDecimal('0.000000001').times('99999999.99'))).toBe('0.09999999999');
  });

  it.each(['1e3', '0x10', '', ' 1', '01', '1.', '--1', 'NaN'])('refuse %j', (text) => {
    expect(() => parseDecimal(text)).toThrow(RangeError);
  });

  it('are written as money and as prices', () => {
    expect(toCents('1234.5')).toBe('1234.50');
    expect(formatPrice('180')).toBe('180.00');
    expect(formatPrice('0.5')).toBe('0.5000');
  });

  it('keep their value when written plainly', () => {
    always(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: 0, max: 8 }), (unscaled, places) => {
      const value = parseDecimal('1').div(parseDecimal('10').pow(places)).times(unscaled);
      expect(parseDecimal(toPlain(value)).eq(value)).toBe(true);
    });
  });

  it('know their tick: a cent from a dollar up, a hundredth of a cent below', () => {
    expect([isOnTick('180.01'), isOnTick('180.015'), isOnTick('0.1234'), isOnTick('0.12345')]).toEqual([
      true,
      false,
      true,
      false,
    ]);
  });
});

describe('comparing without a copy', () => {
  const digits = fc.tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.integer({ min: -25, max: 25 }));
  const near = fc.tuple(fc.bigInt({ min: -12n, max: 12n }), fc.constantFrom(-14, -8, -7, -6, -1, 0, 1, 6, 7, 8));
  const number = fc
    .tuple(
      fc.oneof(
        fc.oneof(digits, near).map(([coefficient, exponent]) => `${coefficient}e${exponent}`),
        fc.constantFrom('-0', '0', '9999999', '10000000', '9999999.9999999', 'Infinity', '-Infinity', 'NaN'),
      ),
      fc.constantFrom(Dec, Rate),
    )
    .map(([text, Kind]) => new Kind(text));

  it('says what decimal.js says', () =>
    alwaysIn(2000)(number, number, (a, b) => {
      // Neither is told from the other: 0 and -0.
      expect(compare(a, b) + 0).toBe(a.comparedTo(b) + 0);
      expect(compare(a, a) + 0).toBe(a.comparedTo(a) + 0);
    }));

  it('gives the smaller one, and what is left without the sign', () => {
    const [one, two] = [new Dec('-1.5'), new Dec(1)];
    expect(min(one, two)).toBe(one);
    expect(min(two, one)).toBe(one);
    expect(abs(two)).toBe(two);
    expect(abs(one).toFixed()).toBe('1.5');
  });
});
