import { describe, expect, it } from 'vitest';
import { createIdShortener } from '../../../src/text/short-id.ts';
import { describeOrderOutcome } from '../../../src/trading/order-outcome.ts';
import type { Order } from '../../../src/trading/views.ts';
import { anOrder } from '../../fixtures/builders.ts';

const order = (change: Partial<Order>): Order =>
  anOrder({ symbol: 'NVDA', side: 'sell', time_in_force: 'day', qty: '10', limit_price: '127.5', ...change });
const filled = (filled_avg_price: string, filled_qty = '10') =>
  ({ status: 'filled', filled_qty, filled_avg_price }) as const;

describe('what became of an order, in words', () => {
  it.each<[string, Partial<Order>]>([
    ['Sold 10 NVDA at $127.94', filled('127.94')],
    ['Bought 10 NVDA at $127.94', { side: 'buy', ...filled('127.94') }],
    ['Open: sell 10 NVDA at $127.50 or more', {}],
    ['Open: buy 10 NVDA at $127.50 or less', { side: 'buy', status: 'accepted' }],
    ['Open: sell 10 NVDA once it trades at $120.00', { type: 'stop', stop_price: '120', limit_price: null }],
    ['Open: sell 10 NVDA trailing by 5%', { type: 'trailing_stop', trail_percent: '5', limit_price: null }],
    ['Sold 4 of 10 NVDA at $128.00; the rest is open', { ...filled('128', '4'), status: 'partially_filled' }],
    ['Sold 4 of 10 NVDA at $128.00; the rest is canceled', { ...filled('128', '4'), status: 'canceled' }],
    ['Canceled: sell 10 NVDA at $127.50 or more', { status: 'canceled' }],
    ['Rejected by the broker: sell 10 NVDA at $127.50 or more', { status: 'rejected' }],
    ['Open: buy $250.00 of NVDA', { side: 'buy', qty: null, notional: '250', limit_price: null }],
    ['Stopped: sell 10 NVDA at $127.50 or more', { status: 'stopped' }],
  ])('%s', (words, change) => {
    expect(describeOrderOutcome(order(change))).toBe(words);
  });
});

describe('what became of an order with exits', () => {
  const exit = { client_order_id: '', side: 'sell', status: 'held' } as const;
  const profit = order({ ...exit, id: 'p', limit_price: '140' });
  const stop = order({ ...exit, id: 's', type: 'stop_limit', stop_price: '110', limit_price: '109' });
  const entry = { side: 'buy', order_class: 'bracket', legs: [profit, stop] } as const;
  const gone = { status: 'canceled' } as const;
  const noExits = [profit, stop].map((leg) => ({ ...leg, ...gone }));

  it.each<[string, Partial<Order>]>([
    [
      'Open: buy 10 NVDA at $127.50 or less; then take profit at $140.00 or stop loss at $110.00',
      { ...entry, legs: [...entry.legs] },
    ],
    [
      'Bought 10 NVDA at $127.00; take profit at $140.00 or stop loss at $110.00',
      { ...entry, ...filled('127'), legs: [{ ...profit, status: 'new' }, stop] },
    ],
    [
      'Bought 10 NVDA at $127.00; sold 10 NVDA at $140.00',
      {
        ...entry,
        ...filled('127'),
        legs: [
          { ...profit, ...filled('140') },
          { ...stop, ...gone },
        ],
      },
    ],
    ['Bought 10 NVDA at $127.00; no exits are open', { ...entry, ...filled('127'), legs: noExits }],
    ['Canceled: buy 10 NVDA at $127.50 or less', { ...entry, ...gone, legs: noExits }],
    [
      'Open: sell 10 NVDA at $140.00 or more, or once it trades at $110.00',
      { order_class: 'oco', limit_price: '140', legs: [stop] },
    ],
    [
      'Sold 10 NVDA at $109.50',
      { ...gone, order_class: 'oco', limit_price: '140', legs: [{ ...stop, ...filled('109.5') }] },
    ],
    [
      'Open: mleg: SELL 10 NVDA; SELL 10 NVDA, limit $1.20',
      { order_class: 'mleg', side: '', limit_price: '1.2', legs: [profit, stop] },
    ],
    ['Frozen: sell_short 10 NVDA at $127.50 or more', { side: 'sell_short', status: 'frozen' }],
  ])('%s', (words, change) => {
    expect(describeOrderOutcome(order(change))).toBe(words);
  });
});

describe('short ids', () => {
  const ids = ['1e3efda0-449e-4802-8935-6c3d1d53e5f4', '2b1c7d90-449e-4802-8935-6c3d1d53e5f4'];

  it('are eight characters of a UUID', () => {
    expect(ids.map(createIdShortener(ids))).toEqual(['1e3efda0', '2b1c7d90']);
  });

  it('grow until each is told from all others', () => {
    const alike = [...ids, '1e3efda0-449f-4802-8935-6c3d1d53e5f4'];
    const short = alike.map(createIdShortener(alike));
    expect(new Set(short).size).toBe(3);
    expect(short[0]).toBe('1e3efda0-449e');
    for (const [index, id] of short.entries()) expect(alike[index]?.startsWith(id)).toBe(true);
  });

  it('leave what is short already', () => {
    expect(createIdShortener(['order-1', 'th_abc'])('order-1')).toBe('order-1');
  });
});
