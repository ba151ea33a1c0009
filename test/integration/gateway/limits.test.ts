import { afterEach, expect, it } from 'vitest';
import type { OrderDraft } from '../../../src/trading/order.ts';
import { limited } from './support/limited.ts';
import { expectRefusal, startWorld, type World } from './support/world.ts';

let world: World;
afterEach(() => world.close());

const place = async (draft: OrderDraft) => world.place(draft, await world.approve(draft));

it('an order of more than one may come to is refused, and its approval stands', async () => {
  world = await startWorld({ rules: limited({ max_order_notional: '899.99' }) });
  const draft = world.draft();
  const token = await world.approve(draft);
  await expectRefusal(world, await world.place(draft, token), 403, 'policy_denied', {
    reason: 'NOTIONAL_EXCEEDS_MAX_PER_ORDER',
    limit: '899.99',
    value: '900.00',
  });
  expect((await place(world.draft({ qty: '4' }))).status).toBe(201);
});

it('of orders that all were let pass before one was written no more go out than may in a day', async () => {
  const rules = limited({ max_day_orders: 2 });
  // Asked for twice an order: all five wait for each other at the first look, and at the one of the claim.
  const gates = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let arrived = 0;
  world = await startWorld({
    rules: {
      async current() {
        const gate = gates[Math.floor(arrived++ / 5)];
        if (arrived % 5 === 0) gate?.resolve();
        await gate?.promise;
        return rules.current();
      },
    },
  });
  const answers = await Promise.all(Array.from({ length: 5 }, () => place(world.draft())));
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
  world = await startWorld({ rules: limited({ max_day_orders: 1 }) });
  // Not taken: its entry stays, and the same request is sent again.
  world.broker.onSubmit.push(({ answer }) => answer(429, { message: 'too many requests' }));
  const draft = world.draft();
  const token = await world.approve(draft);
  expect((await world.place(draft, token)).status).toBe(503);
  expect((await world.place(draft, token)).status).toBe(200);
  expect(world.broker.book).toHaveLength(1);
  expect(await (await place(world.draft())).json()).toMatchObject({ reason: 'ORDERS_EXCEED_MAX_PER_DAY' });
});

it('an order that the broker refused is none of the day’s', async () => {
  world = await startWorld({ rules: limited({ max_day_orders: 1 }) });
  world.broker.onSubmit.push(({ answer }) =>
    answer(403, { code: 40310000, message: 'insufficient buying power' }),
  );
  expect((await place(world.draft())).status).toBe(422);
  expect((await place(world.draft())).status).toBe(201);
});
