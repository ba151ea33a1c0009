import { expect, it, vi } from 'vitest';
import type { Caller } from '../../../../src/gateway/auth/caller.ts';
import type { OpenAccount } from '../../../../src/gateway/broker/accounts.ts';
import { createOpenOrderPrefetcher } from '../../../../src/gateway/orders/place-order.ts';
import { HttpProblem } from '../../../../src/trading/http-problem.ts';
import type { OrderDraft } from '../../../../src/trading/order.ts';

const draft = { account: 'PA1', client_order_id: 'ta-1' } as OrderDraft;
const alice = { sub: 'alice' } as Caller;

function world(orders: OpenAccount['orders']) {
  let now = 0;
  const brokerFor = vi.fn(async () => ({ orders }) as OpenAccount);
  const early = createOpenOrderPrefetcher(brokerFor, { now: () => now });
  return {
    early,
    brokerFor,
    after(ms: number) {
      now += ms;
    },
  };
}

it('what was asked early is taken once, by the order that it was asked for', async () => {
  const { early, brokerFor } = world(async () => []);
  early.ask(draft, alice);
  expect(brokerFor).toHaveBeenCalledWith(alice, 'PA1');
  expect(early.take({ ...draft, client_order_id: 'ta-2' }, alice)).toBeUndefined();
  expect(early.take({ ...draft, account: 'PA2' }, alice)).toBeUndefined();
  expect(early.take(draft, { sub: 'bob' } as Caller)).toBeUndefined();
  await expect(early.take(draft, alice)).resolves.toEqual([]);
  expect(early.take(draft, alice)).toBeUndefined();
});

it('what was asked more than a second ago is asked again: the machine may have slept since', () => {
  const { early, after } = world(async () => []);
  early.ask(draft, alice);
  after(1_001);
  expect(early.take(draft, alice)).toBeUndefined();
});

it('a broker that answers nothing early fails nobody but whoever takes it', async () => {
  const busy = new HttpProblem(503, 'broker_busy', 'the broker is busy');
  const { early } = world(() => Promise.reject(busy));
  early.ask(draft, alice);
  await new Promise((resolve) => setImmediate(resolve));
  await expect(early.take(draft, alice)).rejects.toBe(busy);
});
