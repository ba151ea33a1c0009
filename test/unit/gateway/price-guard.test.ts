import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkPrice } from '../../../src/gateway/price-guard.ts';

const order = { side: 'buy', reference_price: '100.00', max_slippage: '0.01' } as const;

describe('the price guard', () => {
  it.each([
    ['101.00', true],
    ['101.01', false],
    ['99.00', true],
    ['98.99', false],
  ])('at an ask of %s lets a buy pass: %s', (ask, ok) => {
    expect(checkPrice(order, { ask, bid: '1', last: '1' }).ok).toBe(ok);
  });

  it('looks at the bid for a sell', () => {
    const sell = { ...order, side: 'sell' } as const;
    expect(checkPrice(sell, { bid: '99.00', ask: '500', last: '500' }).ok).toBe(true);
    expect(checkPrice(sell, { bid: '98.99', ask: '100', last: '100' })).toEqual({
      ok: false,
      reason: 'moved',
      price: '98.99',
    });
  });

  it('is exact where binary floats are not', () => {
    // 0.07 · 1.1 is 0.07700000000000001 in binary.
    const tight = { side: 'buy', reference_price: '0.0700', max_slippage: '0.1' } as const;
    expect(checkPrice(tight, { ask: '0.077', bid: '0', last: '0' }).ok).toBe(true);
    expect(checkPrice(tight, { ask: '0.0771', bid: '0', last: '0' }).ok).toBe(false);
  });

  it('falls back to the last trade, and has no answer without one', () => {
    expect(checkPrice(order, { ask: '0', bid: '100', last: '100.5' })).toEqual({ ok: true, price: '100.5' });
    expect(checkPrice(order, { ask: '0.00', bid: '100', last: '0' })).toEqual({
      ok: false,
      reason: 'no_price',
    });
  });

  it('never lets a price pass that is further off than allowed', () => {
    const cents = (n: number) => (n / 100).toFixed(2);
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 100_000_00 }),
        fc.integer({ min: 1, max: 100_000_00 }),
        fc.integer({ min: 1, max: 1000 }),
        (reference, ask, permille) => {
          const check = checkPrice(
            { side: 'buy', reference_price: cents(reference), max_slippage: (permille / 1000).toFixed(3) },
            { ask: cents(ask), bid: '0', last: '0' },
          );
          // The same in whole numbers: |ask − ref| · 1000 ≤ permille · ref.
          expect(check.ok).toBe(Math.abs(ask - reference) * 1000 <= permille * reference);
        },
      ),
    );
  });
});
