import { describe, expect, it } from 'vitest';
import { type Activity, toFills } from '../../../../src/trading/activity.ts';

function activity(more: Partial<Activity>): Activity {
  return {
    id: '1',
    kind: 'fill',
    type: 'FILL',
    at: '2026-11-26T17:20:00.000Z',
    symbol: 'BTC/USD',
    side: 'buy',
    qty: '0.01',
    price: '50000',
    group: null,
    amount: null,
    ...more,
  };
}
const fee = (more: Partial<Activity>) =>
  activity({ kind: 'fee', type: 'CFEE', at: '2026-11-26T05:00:00.000Z', side: null, price: null, ...more });

const told = (activities: readonly Activity[]) =>
  toFills(activities).map(({ qty, price }) => [qty.toFixed(), qty.mul(price).toFixed(2)]);

describe('the fee of a coin, taken of the coins bought', () => {
  it('leaves fewer coins, for the same dollars', () => {
    expect(told([activity({}), fee({ qty: '-0.000025' })])).toEqual([['0.009975', '500.00']]);
  });

  it('is divided among what was bought on its day to the last part of a coin', () => {
    const fills = toFills([
      activity({}),
      activity({ qty: '0.003861559' }),
      activity({ qty: '0.01' }),
      fee({ qty: '-0.000025' }),
      fee({ qty: '-0.000009654' }),
      fee({ qty: '-0.000025' }),
    ]);
    const held = fills.map(({ qty }) => qty).reduce((sum, qty) => sum.plus(qty));
    expect(held.toFixed()).toBe('0.023801905');
  });

  it('leaves sales, other days and shares as they are', () => {
    const others = [
      activity({ side: 'sell' }),
      activity({ at: '2026-11-25T17:20:00.000Z' }),
      activity({ symbol: 'AAPL', qty: '5', price: '200' }),
    ];
    expect(told([...others, fee({ qty: '-0.000025' }), fee({ symbol: 'AAPL', qty: '-1' })])).toEqual(told(others));
  });
});
