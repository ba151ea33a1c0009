import { expect, it } from 'vitest';
import { protectsPosition } from '../../../src/trading/protects.ts';
import type { Order, Position } from '../../../src/trading/views.ts';
import { anOrder, aPosition } from '../../fixtures/builders.ts';

const order = (changes: Partial<Order> = {}) => anOrder({ side: 'sell', type: 'stop', ...changes });
const position = (changes: Partial<Position> = {}) => aPosition({ qty: '40', ...changes });
const short = position({ side: 'short', qty: '-40' });

it.each<[string, Order, Position[]]>([
  ['a stop under shares held', order(), [position()]],
  ['a limit sale above the market', order({ type: 'limit', limit_price: '999' }), [position()]],
  ['a trailing stop', order({ type: 'trailing_stop', trail_percent: '5' }), [position()]],
  ['a sale of more than is held', order({ qty: '100' }), [position()]],
  ['a sale that was filled in part', order({ status: 'partially_filled', filled_qty: '2' }), [position()]],
  ['a sale held back by its broker', order({ status: 'held' }), [position()]],
  ['a sale that is done for today, not tomorrow', order({ status: 'done_for_day' }), [position()]],
  ['a purchase of shares owed', order({ side: 'buy' }), [short]],
  ['an order among other positions', order(), [position({ symbol: 'MSFT', side: 'short' }), position()]],
])('%s protects', (_, of, held) => {
  expect(protectsPosition(of, held)).toBe(true);
});

it.each<[string, Order, Position[]]>([
  ['a purchase with nothing held', order({ side: 'buy' }), []],
  ['a purchase that adds to shares held', order({ side: 'buy' }), [position()]],
  ['a sale with nothing held', order(), []],
  ['a sale that adds to shares owed', order(), [short]],
  ['a sale against another symbol’s shares', order(), [position({ symbol: 'MSFT' })]],
  ['a sale against a position of nothing', order(), [position({ qty: '0' })]],
  ['an order that is filled', order({ status: 'filled' }), [position()]],
  ['an order that is cancelled', order({ status: 'canceled' }), [position()]],
  ['an order that was replaced', order({ status: 'replaced' }), [position()]],
])('%s protects nothing', (_, of, held) => {
  expect(protectsPosition(of, held)).toBe(false);
});
