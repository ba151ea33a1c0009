import { describe, expect, it } from 'vitest';
import { toObservedValues } from '../../../../src/server/jobs/watch-prices.ts';
import type { Quote } from '../../../../src/trading/views.ts';

const values = (last: string, previous_close: string) =>
  toObservedValues({ symbol: 'AAPL', last, previous_close } as Quote).map(({ side, value }) => `${side} ${value}`);

describe('a quote, as conditions are compared with it', () => {
  it('is its price, and its change of the day', () => {
    expect(values('95', '100')).toEqual(['above 95', 'below 95', 'up -0.05', 'down -0.05']);
  });
  it('has no change without a close before, and is none without a price', () => {
    expect(values('95', '0')).toEqual(['above 95', 'below 95']);
    expect(values('0', '100')).toEqual([]);
  });
});
