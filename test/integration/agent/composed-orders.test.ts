import { expect, it } from 'vitest';
import { MAX_ORDERS_PER_REQUEST } from '../../../src/agent/agent.ts';
import type { ChatModel } from '../../../src/agent/model/chat-model.ts';
import { type OrderRequestInput, orderRequestSchema } from '../../../src/trading/order.ts';
import { aboutOf } from './proposals-stand-in.ts';
import { createWorld, options, play } from './world.ts';

const order = (request: OrderRequestInput) => orderRequestSchema.parse(request);
const sale = order({
  symbol: 'MSFT',
  side: 'sell',
  qty: '2',
  type: 'limit',
  limit_price: '400.00',
  extended_hours: true,
});
const purchase = order({ symbol: 'AAPL', side: 'buy', notional: '500' });
const many = (count: number) =>
  Array.from({ length: count }, (_, index) =>
    order({ symbol: 'AAPL', side: 'buy', qty: String(index + 1), type: 'limit', limit_price: '100' }),
  );
const byCheck = { composedBy: 'check' };

const unasked: ChatModel = {
  name: 'unasked',
  builtin: false,
  stream() {
    throw new Error('the model was asked');
  },
};

it('orders that a program put together are proposed as they are, all of its making, and no model is asked', async () => {
  const world = await createWorld('approve');
  const agent = await world.agent({ model: unasked });
  const { result, events } = await play(
    agent.run({ orders: [sale, purchase], ...byCheck, thread: 't' }, { ...options(), requestedBy: 'check' }),
  );
  expect(result).toMatchObject({ status: 'done', orders: [{ symbol: 'MSFT' }, { symbol: 'AAPL' }] });
  expect(world.phone.posts.map(({ body }) => body)).toMatchObject([
    { kind: 'order', order: sale, requested_by: 'check' },
    { kind: 'order', order: purchase, requested_by: 'check' },
  ]);
  for (const { body } of world.phone.posts) {
    const made = { source: 'computed', from: 'check' };
    expect(body.provenance).toEqual({
      fields: Object.fromEntries(Object.keys(body.kind === 'order' ? body.order : {}).map((name) => [name, made])),
    });
  }
  expect(result.text).toBe('Sold 2 MSFT at $399.90.\n\nBought 1 AAPL at $180.00.');
  expect(events.flatMap((event) => (event.type === 'text' ? [event.delta] : [])).join('')).toBe(result.text);
});

it('a thread of theirs says in words what was proposed, and what came of it', async () => {
  const world = await createWorld();
  const agent = await world.agent({ model: unasked });
  await play(agent.run({ orders: [sale, purchase], ...byCheck, thread: 't' }, options('detach')));
  const before = await agent.thread('t');
  expect(before).toMatchObject({
    prompt: 'SELL 2 MSFT LMT 400.00 DAY extended hours; BUY USD 500.00 AAPL MKT DAY',
  });
  expect(before.messages).toMatchObject([
    { role: 'user', text: before.prompt },
    { role: 'agent', calls: [{ name: 'place_order' }, { name: 'place_order' }] },
  ]);

  world.phone.decide('MSFT', 'approve');
  world.phone.decide('AAPL', 'deny');
  const later = await world.agent({ model: unasked });
  const { result } = await play(later.resume('t', options()));
  expect(result).toMatchObject({ status: 'denied', orders: [{ symbol: 'MSFT' }] });
  expect(world.phone.asked.map(aboutOf).sort()).toEqual(['AAPL', 'MSFT']);
  const { messages } = await later.thread('t');
  expect(messages.at(-1)).toEqual({ role: 'agent', text: result.text, calls: [] });
});

it('as many as a run takes are asked for, though no person named any', async () => {
  const world = await createWorld();
  const agent = await world.agent({ model: unasked });
  await play(agent.run({ orders: many(MAX_ORDERS_PER_REQUEST), ...byCheck }, options('detach')));
  expect(world.phone.asked).toHaveLength(MAX_ORDERS_PER_REQUEST);
});

it.each([0, MAX_ORDERS_PER_REQUEST + 1])(
  '%i orders at once are refused, and nothing is kept of them',
  async (count) => {
    const world = await createWorld();
    const agent = await world.agent();
    const { result } = await play(agent.run({ orders: many(count), ...byCheck, thread: 't' }, options()));
    expect(result).toMatchObject({ status: 'failed', error: { code: 'usage' } });
    expect(world.phone.posts).toEqual([]);
    expect(await agent.threads()).toEqual([]);
  },
);

it('an order that could be none is refused by itself', async () => {
  const world = await createWorld('approve');
  const agent = await world.agent({ model: unasked });
  const none = { ...purchase, qty: '5' };
  const { result } = await play(agent.run({ orders: [none, sale], ...byCheck }, options()));
  expect(result).toMatchObject({
    status: 'failed',
    error: { code: 'invalid_order' },
    orders: [{ symbol: 'MSFT' }],
  });
});

it('what the person says next in their thread is their own', async () => {
  const world = await createWorld('approve');
  const agent = await world.agent();
  await play(agent.run({ orders: [sale], ...byCheck, thread: 't' }, options()));
  await play(agent.run({ prompt: 'buy 5 AAPL', thread: 't' }, options()));
  expect(world.phone.posts.at(-1)?.body.provenance?.fields).toMatchObject({ qty: { source: 'user' } });
});
