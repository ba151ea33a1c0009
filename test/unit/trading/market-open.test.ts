import { expect, it } from 'vitest';
import { mustWaitForOpen } from '../../../src/trading/market-open.ts';
import { orderTypes } from '../../../src/trading/order.ts';

it('an order that trades at whatever price comes waits for the opening, one with a limit does not', () => {
  expect(orderTypes.filter((type) => mustWaitForOpen({ type }, { is_open: false }))).toEqual([
    'market',
    'stop',
    'stop_market',
    'trailing_stop',
  ]);
  expect(orderTypes.some((type) => mustWaitForOpen({ type }, { is_open: true }))).toBe(false);
});
