import { describe, expect, it } from 'vitest';
import { currentPrice, sideOutsideBand } from '../../../src/trading/price-drift.ts';

describe('the price now', () => {
  const quote = { bid: '99.00', ask: '101.00', last: '100.00' };

  it('is the ask for a buy and the bid for a sell', () => {
    expect(currentPrice('buy', quote)).toBe('101.00');
    expect(currentPrice('sell', quote)).toBe('99.00');
  });

  it('is the last trade’s where a side has no quote, and none where there was no trade', () => {
    expect(currentPrice('buy', { ...quote, ask: '0' })).toBe('100.00');
    expect(currentPrice('sell', { ...quote, bid: '0.00', last: '0' })).toBeUndefined();
  });
});

describe('a price', () => {
  it.each([
    ['100.00', undefined],
    ['101.00', undefined],
    ['101.0001', 'above'],
    ['99.00', undefined],
    ['98.9999', 'below'],
  ])('%s is beyond one per cent around 100: %s', (price, side) => {
    expect(sideOutsideBand(price, { around: '100.00', fraction: '0.01' })).toBe(side);
  });

  it('is compared without rounding', () => {
    expect(sideOutsideBand('0.077', { around: '0.07', fraction: '0.1' })).toBeUndefined();
    expect(sideOutsideBand('0.0770000001', { around: '0.07', fraction: '0.1' })).toBe('above');
  });
});
