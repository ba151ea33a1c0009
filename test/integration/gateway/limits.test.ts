import { expect, it } from 'vitest';
import type { AccountLimits } from '../../../src/gateway/policy/rules.ts';
import { insufficient, tooMany } from './support/alpaca-stand-in.ts';
import { limited } from './support/limited.ts';
import { answerOf, startWorld } from './support/world.ts';

const within = (limits: AccountLimits) => startWorld({ rules: limited(limits) });

it('an order of more than one may come to is refused, and its approval stands', async () => {
  const world = await within({ max_order_notional: '899.99' });
  await world.refuses(world.order(), 403, 'policy_denied', {
    reason: 'NOTIONAL_EXCEEDS_MAX_PER_ORDER',
    limit: '899.99',
    value: '900.00',
  });
  expect((await world.order({ qty: '4' })).status).toBe(201);
});

it('of orders that all were let pass before one was written no more go out than may in a day', async () => {
  const rules = limited({ max_day_orders: 2 });
  // Asked for twice an order: all five wait for each other at the first look, and at the one of the claim.
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let arrived = 0;
  const world = await startWorld({
    rules: {
      async current() {
        const gate = gates[Math.floor(arrived++ / 5)];
        if (arrived % 5 === 0) gate?.resolve();
        await gate?.promise;
        return rules.current();
      },
    },
  });
  const answers = await Promise.all(Array.from({ length: 5 }, () => world.order()));
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 403, 403, 403]);
  const refused = answers.find(({ status }) => status === 403);
  expect(await refused?.json()).toMatchObject({
    code: 'policy_denied',
    reason: 'ORDERS_EXCEED_MAX_PER_DAY',
    limit: '2',
    value: '3',
  });
  expect(world.broker.book).toHaveLength(2);
});

it('an order that is sent again is no other order', async () => {
  const world = await within({ max_day_orders: 1 });
  // Not taken: its entry stays, and the same request is sent again.
  world.broker.onSubmit.push(tooMany);
  const { place } = await world.approved();
  expect((await place()).status).toBe(503);
  expect((await place()).status).toBe(200);
  expect(world.broker.book).toHaveLength(1);
  const { body } = await answerOf(world.order());
  expect(body).toMatchObject({ reason: 'ORDERS_EXCEED_MAX_PER_DAY' });
});

it('an order that the broker refused is none of the day’s', async () => {
  const world = await within({ max_day_orders: 1 });
  world.broker.onSubmit.push(insufficient);
  expect((await world.order()).status).toBe(422);
  expect((await world.order()).status).toBe(201);
});
