import { describe, expect, it } from 'vitest';
import { tools } from '../../../src/tools/catalog.ts';
import { parseOrderRequest } from '../../../src/tools/place-order.ts';
import { parseBatchRequest } from '../../../src/tools/place-orders.ts';

const base = { symbol: 'aapl', side: 'buy', qty: '5' };

describe('place_order', () => {
  it('has no way to trade', () => {
    const trading = tools.filter(({ risk }) => risk === 'trade');
    expect(trading.map(({ name }) => name)).toEqual(['place_order', 'place_orders', 'close_position', 'replace_order']);
    for (const tool of trading) expect(tool).not.toHaveProperty('execute');
  });

  it('reads numbers and nulls as models write them', () => {
    expect(parseOrderRequest({ ...base, qty: 5, notional: null, limit_price: '' })).toEqual({
      symbol: 'AAPL',
      side: 'buy',
      qty: '5',
      type: 'market',
      time_in_force: 'day',
      extended_hours: false,
    });
    expect(parseOrderRequest({ ...base, type: 'limit', limit_price: 180.1 }).limit_price).toBe('180.10');
  });

  it.each([
    [{ ...base, qty: 0 }, 'qty'],
    [{ ...base, qty: -5 }, 'qty'],
    [{ ...base, qty: 1e30 }, 'qty'],
    [{ ...base, qty: Number.NaN }, 'qty'],
    [{ ...base, qty: '5 shares' }, 'qty'],
    [{ ...base, qty: '99999999' }, 'qty'],
    [{ ...base, qty: true }, 'qty'],
    [{ ...base, notional: '500' }, 'qty'],
    [{ symbol: 'AAPL', side: 'buy' }, 'qty'],
    [{ ...base, side: 'short' }, 'side'],
    [{ ...base, symbol: 'AAPL; DROP' }, 'symbol'],
    [{ ...base, limit_price: '180' }, 'limit_price'],
    [{ ...base, type: 'limit' }, 'limit_price'],
    [{ ...base, type: 'limit', limit_price: '180.001' }, 'limit_price'],
    [{ ...base, account: 'PA-OTHER' }, ''],
    [{ ...base, max_slippage: '1' }, ''],
  ])('refuses %o', (args, field) => {
    expect(() => parseOrderRequest(args)).toThrow(
      expect.objectContaining({ code: 'invalid_order', hint: expect.any(String), details: { field } }),
    );
  });
});

const sale = { symbol: 'aapl', side: 'sell', qty: 5 };
const purchase = { symbol: 'MSFT', side: 'buy', notional: '250.00', limit_price: null };

describe('place_orders', () => {
  it('reads each order as models write one', () => {
    expect(parseBatchRequest({ orders: [sale, purchase] })).toMatchObject({
      orders: [
        { symbol: 'AAPL', side: 'sell', qty: '5', type: 'market' },
        { symbol: 'MSFT', side: 'buy', notional: '250' },
      ],
      on_failure: 'stop',
    });
    expect(parseBatchRequest({ orders: [sale, purchase], on_failure: 'continue' }).on_failure).toBe('continue');
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
    expect(() => parseBatchRequest({ orders })).toThrowError(expect.objectContaining({ code: 'invalid_order' }));
  });
});
