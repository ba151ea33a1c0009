import { expect, it } from 'vitest';
import { computeEquityAtLastClose, findTodaysTrades } from '../../../../src/gateway/broker/last-close.ts';
import type { Order } from '../../../../src/trading/views.ts';

type Given = Parameters<typeof computeEquityAtLastClose>;
const gear = { id: 'GEAR', price: '110' };
const shares: Given[3] = new Map([['GEAR', { units: 1, price: '100' }]]);
const of = (units: number | undefined, price: string | undefined): Given[3] => new Map([['GEAR', { units, price }]]);

it.each<[string, Given, string | undefined]>([
  // Ten at $100 and $500 in cash were worth $1,500 then.
  ['nothing was traded', ['1600', [{ ...gear, qty: '10' }], [], shares], '1500'],
  // Six were held; four more were bought at $105: 600 + 920 in cash.
  ['some was bought', ['1600', [{ ...gear, qty: '10' }], [{ id: 'GEAR', qty: '4', price: '105' }], shares], '1520'],
  // Ten were held and all sold at $104, with $100 of cash before: 1000 + 100.
  ['all of it was sold', ['1140', [], [{ id: 'GEAR', qty: '-10', price: '104' }], shares], '1100'],
  ['a short gained', ['990', [{ ...gear, price: '99', qty: '-10' }], [], shares], '980'],
  // Ten contracts, each $500 cheaper than then: 10,000 less 5,000, beside 40,000 in cash.
  ['options lost', ['45000', [{ ...gear, price: '5', qty: '10' }], [], of(100, '10')], '50000'],
  [
    'all of it was bought today, and no price of then is known',
    ['1050', [{ ...gear, qty: '10' }], [{ id: 'GEAR', qty: '10', price: '105' }], of(1, undefined)],
    '1000',
  ],
  [
    'it came and went today',
    [
      '990',
      [],
      [
        { id: 'GEAR', qty: '10', price: '105' },
        { id: 'GEAR', qty: '-10', price: '104' },
      ],
      of(1, undefined),
    ],
    '1000',
  ],
  ['a price of then is not known', ['1600', [{ ...gear, qty: '10' }], [], of(1, undefined)], undefined],
  [
    'what was sold altogether has no price of then',
    ['1140', [], [{ id: 'GEAR', qty: '-10', price: '104' }], new Map()],
    undefined,
  ],
  ['nobody knows what a price is of', ['1600', [{ ...gear, qty: '10' }], [], of(undefined, '100')], undefined],
])('what an account was worth at the last close, where %s', (_, given, worth) => {
  expect(computeEquityAtLastClose(...given)?.toFixed()).toBe(worth);
});

const NOON = Date.parse('2026-11-25T17:00:00Z');
const order = {
  symbol: 'GEAR',
  side: 'buy',
  filled_qty: '4',
  filled_avg_price: '105',
  filled_at: '2026-11-25T15:00:00Z',
  submitted_at: '2026-11-24T15:00:00Z',
} as Order;
const traded = (...orders: Order[]) => findTodaysTrades(orders, NOON, ({ symbol }) => symbol || undefined);

it('counts what was filled today, sold below zero, and the legs of a spread', () => {
  const yesterday = { ...order, filled_at: '2026-11-24T15:00:00Z' };
  const spread = { ...order, side: '', legs: [order, { ...order, symbol: 'NUTS', side: 'sell' }] } as Order;
  expect(traded(yesterday, { ...order, filled_qty: '0', filled_avg_price: null }, spread)).toEqual([
    { id: 'GEAR', qty: '4', price: '105' },
    { id: 'NUTS', qty: '-4', price: '105' },
  ]);
});

it.each<[string, Partial<Order>]>([
  ['at what price', { filled_avg_price: null }],
  ['which way', { side: 'exercised' }],
  ['of what', { symbol: '' }],
])('tells nothing of the day where something was filled and nobody knows %s', (_, changes) => {
  expect(traded(order, { ...order, ...changes })).toBeUndefined();
});
