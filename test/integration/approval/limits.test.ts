import { afterEach, beforeEach, expect, it } from 'vitest';
import { limitPolicies } from '../../../src/gateway/policy/limits.ts';
import type { OrderPolicy } from '../../../src/gateway/policy/policy.ts';
import { type Agent, type ForeignWorld, startForeignWorld } from './foreign-world.ts';

/** As `limits.yaml` has it now; a gateway reads it at its start. */
let limit: string;
let world: ForeignWorld;
let alice: Agent;
beforeEach(async () => {
  limit = '1000';
  const within: OrderPolicy = async (input) => {
    for (const policy of limitPolicies({ version: 1, max_order_notional: limit })) await policy(input);
  };
  world = await startForeignWorld({ policies: [within] });
  alice = world.agent('alice', 'trade-agent');
});
afterEach(() => world.close());

/** The stand-in's AAPL is asked at 180.01: so many shares at a limit of 180. */
const propose = (qty: string, key: string) =>
  alice.propose(
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
  await expect
    .poll(async () => (await alice.send('GET', `/v1/proposals/${body.id}`)).body.state)
    .toBe('executed');
});

it('a limit that was lowered meanwhile holds when the order is carried out', async () => {
  const { body } = await propose('5', 'before');
  await expect.poll(() => world.issuer.questions.length).toBe(1);
  limit = '899.99';
  await world.decide(String(body.id), 'approve');
  await expect
    .poll(async () => (await alice.send('GET', `/v1/proposals/${body.id}`)).body)
    .toMatchObject({
      state: 'blocked',
      reason: {
        code: 'policy_denied',
        members: { reason: 'NOTIONAL_EXCEEDS_MAX_PER_ORDER', limit: '899.99', value: '900.00' },
      },
    });
  expect((await alice.send('GET', '/v1/orders?status=all')).body).toMatchObject({ orders: [] });
});
