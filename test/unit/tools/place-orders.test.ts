import { describe, expect, it } from 'vitest';
import { readBatchRequest } from '../../../src/tools/place-orders.ts';

const sale = { symbol: 'aapl', side: 'sell', qty: 5 };
const purchase = { symbol: 'MSFT', side: 'buy', notional: '250.00', limit_price: null };

describe('place_orders', () => {
  it('reads each order as models write one', () => {
    expect(readBatchRequest({ orders: [sale, purchase] })).toMatchObject({
      orders: [
        { symbol: 'AAPL', side: 'sell', qty: '5', type: 'market' },
        { symbol: 'MSFT', side: 'buy', notional: '250' },
      ],
      on_failure: 'stop',
    });
    expect(readBatchRequest({ orders: [sale, purchase], on_failure: 'continue' }).on_failure).toBe(
      'continue',
    );
  });

  it.each([
    [undefined],
    ['AAPL'],
    [[sale]],
    [Array.from({ length: 21 }, () => sale)],
    [[sale, null]],
    [[sale, { ...purchase, qty: '1' }]],
    [[sale, { ...purchase, account: 'PA1' }]],
  ])('refuses what is no such list: %j', (orders) => {
    expect(() => readBatchRequest({ orders })).toThrowError(
      expect.objectContaining({ code: 'invalid_order' }),
    );
  });
});
