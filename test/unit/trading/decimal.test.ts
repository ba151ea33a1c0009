import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cents, decimal, isOnTick, plain, price } from '../../../src/trading/decimal.ts';

describe('decimal amounts', () => {
  it('are exact where binary floats are not', () => {
    expect(plain(decimal('0.1').plus('0.2'))).toBe('0.3');
    expect(plain(decimal('0.000000001').times('99999999.99'))).toBe('0.09999999999');
  });

  it.each(['1e3', '0x10', '', ' 1', '01', '1.', '--1', 'NaN'])('refuse %j', (text) => {
    expect(() => decimal(text)).toThrow(RangeError);
  });

  it('are written as money and as prices', () => {
    expect(cents('1234.5')).toBe('1234.50');
    expect(price('180')).toBe('180.00');
    expect(price('0.5')).toBe('0.5000');
  });

  it('keep their value when written plainly', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e9, max: 1e9 }), fc.integer({ min: 0, max: 8 }), (unscaled, places) => {
        const value = decimal('1').div(decimal('10').pow(places)).times(unscaled);
        expect(decimal(plain(value)).eq(value)).toBe(true);
      }),
    );
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
