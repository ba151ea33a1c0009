import { afterEach, beforeEach, expect, it } from 'vitest';
import { limited } from '../gateway/support/limited.ts';
import { type Agent, type ForeignWorld, startForeignWorld } from './foreign-world.ts';

/** As the rules have it at the moment. */
let limit: string;
let world: ForeignWorld;
let alice: Agent;
beforeEach(async () => {
  limit = '1000';
  world = await startForeignWorld({
    rules: { current: () => limited({ max_order_notional: limit }).current() },
  });
  alice = world.agent('alice', 'trade-agent');
});
afterEach(() => world.close());

/** The stand-in's AAPL is asked at 180.01: so many shares at a limit of 180. */
const propose = (qty: string, key: string, who = alice) =>
  who.propose(
    {
      kind: 'order',
      order: { symbol: 'AAPL', side: 'buy', qty, type: 'limit', time_in_force: 'day', limit_price: '180' },
    },
    key,
  );

it('an order beyond a limit rings no phone; one within it does', async () => {
  expect(await propose('6', 'too-much')).toMatchObject({
    status: 403,
    body: {
      code: 'policy_denied',
      reason: 'NOTIONAL_EXCEEDS_MAX_PER_ORDER',
      reasons: ['NOTIONAL_EXCEEDS_MAX_PER_ORDER'],
      limit: '1000.00',
      value: '1080.00',
    },
  });
  expect(world.issuer.questions).toEqual([]);
  const { status, body } = await propose('5', 'enough');
  expect(status).toBe(201);
  await expect.poll(() => world.issuer.questions.length).toBe(1);
  await world.decide(String(body.id), 'approve');
  expect(await alice.ended(String(body.id))).toMatchObject({ state: 'executed' });
});

it('a limit that was lowered meanwhile holds when the order is carried out', async () => {
  const { body } = await propose('5', 'before');
  await expect.poll(() => world.issuer.questions.length).toBe(1);
  limit = '899.99';
  await world.decide(String(body.id), 'approve');
  expect(await alice.ended(String(body.id))).toMatchObject({
    state: 'blocked',
    reason: {
      code: 'policy_denied',
      members: { reason: 'NOTIONAL_EXCEEDS_MAX_PER_ORDER', limit: '899.99', value: '900.00' },
    },
  });
  expect((await alice.send('GET', '/v1/orders?status=all')).body).toMatchObject({ orders: [] });
});

it('no order is sent under other rules than those that its owner approved', async () => {
  const { body } = await propose('5', 'before');
  await expect.poll(() => world.issuer.questions.length).toBe(1);
  const { policy } = (await alice.send('GET', `/v1/proposals/${body.id}`)).body;
  expect(policy).toBe((await limited({ max_order_notional: '1000' }).current()).digest);
  expect(world.issuer.questions[0]?.details).toMatchObject({ policy });
  limit = '2000';
  await world.decide(String(body.id), 'approve');
  expect(await alice.ended(String(body.id))).toMatchObject({
    state: 'blocked',
    reason: { code: 'policy_denied', members: { reason: 'POLICY_CHANGED', reasons: ['POLICY_CHANGED'] } },
  });
  expect((await alice.send('GET', '/v1/orders?status=all')).body).toMatchObject({ orders: [] });
  const again = await propose('4', 'after');
  await expect.poll(() => world.issuer.questions.length).toBe(2);
  await world.decide(String(again.body.id), 'approve');
  expect(await alice.ended(String(again.body.id))).toMatchObject({ state: 'executed' });
});

it('of orders that are approved at once no more go out than may in a day', async () => {
  await world.close();
  world = await startForeignWorld({ rules: limited({ max_day_orders: 2 }) });
  alice = world.agent('alice', 'trade-agent');
  const proposed: string[] = [];
  for (const qty of ['1', '2', '3', '4']) proposed.push(String((await propose(qty, `of-${qty}`)).body.id));
  await expect.poll(() => world.issuer.questions.length).toBe(4);
  await Promise.all(proposed.map((id) => world.decide(id, 'approve')));
  const found = await Promise.all(proposed.map((id) => alice.ended(id)));
  expect(found.filter((body) => body.state === 'executed')).toHaveLength(2);
  expect(found.filter((body) => body.state === 'blocked')).toMatchObject(
    Array(2).fill({
      reason: {
        code: 'policy_denied',
        members: { reason: 'ORDERS_EXCEED_MAX_PER_DAY', limit: '2', value: '3' },
      },
    }),
  );
  expect((await alice.send('GET', '/v1/orders?status=all')).body.orders).toHaveLength(2);
  expect(await propose('5', 'of-5')).toMatchObject({
    status: 403,
    body: { code: 'policy_denied', reason: 'ORDERS_EXCEED_MAX_PER_DAY' },
  });
  expect(world.issuer.questions).toHaveLength(4);
  // Another person's day is their own.
  const bob = world.agent('bob', 'trade-agent');
  expect((await propose('1', 'of-bob', bob)).status).toBe(201);
});
