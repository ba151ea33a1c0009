import { expect, it } from 'vitest';
import { clientOrderId } from '../../../src/agent/client-order-id.ts';

it('a client_order_id is the same for the same attempt, today as in any later version', () => {
  expect(clientOrderId('th_1', 'tc_1', 1)).toBe(clientOrderId('th_1', 'tc_1', 1));
  expect(clientOrderId('th_1', 'tc_1', 1)).toMatchInlineSnapshot(`"ta-3vzeb223bnru62vkq2be3ikxbymfh7xc"`);
});

it('a client_order_id differs for another thread, call or attempt, however they run together', () => {
  const ids = [
    clientOrderId('a', 'b', 1),
    clientOrderId('a', 'b', 2),
    clientOrderId('a', 'b1', 1),
    clientOrderId('ab', '', 1),
    clientOrderId('', 'ab', 1),
    clientOrderId('a","b', '', 1),
  ];
  expect(new Set(ids).size).toBe(ids.length);
});

it('a client_order_id fits what brokers take', () => {
  expect(clientOrderId('thread'.repeat(20), 'call', 12)).toMatch(/^ta-[a-z2-7]{32}$/);
});
