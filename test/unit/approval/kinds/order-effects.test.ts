import { expect, it } from 'vitest';
import { orderEffects } from '../../../../src/approval/kinds/order/effects.ts';
import type { OrderDraft } from '../../../../src/trading/order.ts';
import type { Account, MarketClock, Position, Quote } from '../../../../src/trading/views.ts';
import { computeWorstCase } from '../../../../src/trading/worst-case.ts';

/** An account of $10,000, $6,000 of it cash and 20.5 AAPL at $100. */
function warned(order: Partial<OrderDraft>, market: Partial<MarketClock> = {}): readonly string[] {
  const draft = {
    symbol: 'AAPL',
    side: 'buy',
    type: 'market',
    reference_price: '100',
    max_slippage: '0.01',
    ...order,
  } as OrderDraft;
  return orderEffects(draft, computeWorstCase(draft), {
    account: { cash: '6000', equity: '10000' } as Account,
    quote: { symbol: 'AAPL', name: null } as Quote,
    positions: [{ symbol: 'AAPL', side: 'long', qty: '20.5' } as Position],
    market: { is_open: true, next_open: '2026-11-27T09:30:00-05:00', ...market } as MarketClock,
  }).warnings;
}

it.each<[what: string, order: Partial<OrderDraft>, warnings: string[]]>([
  ['nothing out of the way', { qty: '5' }, []],
  [
    'a limit that is far off',
    { qty: '5', type: 'limit', limit_price: '112' },
    ['The limit is 12% above the current price ($100.00).'],
  ],
  [
    'nothing of a stop far off whose limit is near it',
    { side: 'sell', qty: '5', type: 'stop_limit', stop_price: '70', limit_price: '69.30' },
    [],
  ],
  [
    'a stop’s limit that is far off the stop',
    { side: 'sell', qty: '5', type: 'stop_limit', stop_price: '70', limit_price: '60' },
    ['The limit is 14% below its stop price ($70.00).'],
  ],
  [
    'one order for much of the account',
    { qty: '25' },
    ['This is 25% of the account in one order.', 'AAPL will be 46% of the account.'],
  ],
  ['a position that becomes most of it, in small steps', { qty: '20.2' }, ['AAPL will be 41% of the account.']],
  ['one that stays below', { qty: '19' }, []],
  ['a purchase by amount', { notional: '2000' }, ['AAPL will be 40% of the account.']],
  ['a sale of all', { side: 'sell', qty: '20.5' }, ['This sells your entire AAPL position.']],
  ['a sale of more', { side: 'sell', qty: '21' }, ['This sells more than you hold (20.5 AAPL).']],
  ['a sale that leaves a crumb', { side: 'sell', qty: '20' }, ['This leaves less than one share: 0.5 AAPL.']],
  ['a sale that leaves a share and more', { side: 'sell', qty: '19' }, []],
])('warns before the phone rings of %s', (_what, order, warnings) => {
  expect(warned(order)).toEqual(warnings);
});

it('says until when an order waits that is placed while the market is closed', () => {
  const order = { qty: '5', type: 'limit', limit_price: '100' } as const;
  expect(warned(order, { is_open: false })).toEqual([
    'The market is closed. This order waits until it opens, Fri, Nov 27, 9:30 AM New York time.',
  ]);
});
