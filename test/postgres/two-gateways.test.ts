import { afterEach, beforeEach, expect, it } from 'vitest';
import { systemClock } from '../../src/machine/clock.ts';
import { postgresGatewayStores } from '../../src/store/postgres/gateway-stores.ts';
import { gatewaySchema } from '../../src/store/postgres/migrations/gateway.ts';
import { orderJson } from '../integration/gateway/support/alpaca-stand-in.ts';
import { testClock } from '../integration/gateway/support/test-clock.ts';
import { startWorld, type World } from '../integration/gateway/support/world.ts';
import { blockDatabase, newTenant, withPostgres } from './support/database.ts';

/** More than one machine has, each with connections of its own to one database. */
withPostgres('two gateways', () => {
  const server = blockDatabase(gatewaySchema);
  let world: World;
  let another: Awaited<ReturnType<World['another']>>;
  const storesOf = async (tenant: string) => await postgresGatewayStores(await server.open(tenant));
  beforeEach(async () => {
    const tenant = newTenant();
    const clock = { ...testClock(), sleep: systemClock.sleep };
    const stores = await storesOf(tenant);
    world = await startWorld({ stores: () => stores, clock });
    another = await world.another(await storesOf(tenant));
  });
  afterEach(async () => {
    await another.close();
    await world.close();
  });
  const answerOf = async (response: Promise<Response>) => {
    const { status } = await response;
    return { status, body: (await (await response).json()) as Record<string, unknown> };
  };

  it('place an order once that comes to both at once, at a broker that would take it twice', async () => {
    // What came is counted, whatever the broker makes of it.
    const drafts = Array.from({ length: 10 }, () => world.draft());
    const answers = await Promise.all(
      drafts.map(async (draft) => {
        const token = await world.approve(draft);
        const places = [world, another, another, world].map(({ place }) => answerOf(place(draft, token)));
        return (await Promise.all(places)).map(({ status, body }) => [status < 300 ? 'placed' : body, body.id]);
      }),
    );
    for (const [first, ...rest] of answers) {
      expect(first).toEqual(['placed', expect.any(String)]);
      for (const one of rest) expect(one).toEqual(first);
    }
    const sent = world.broker.submissions.map(({ client_order_id }) => client_order_id);
    expect(sent.toSorted()).toEqual(drafts.map(({ client_order_id }) => client_order_id).toSorted());
  });

  it('give a repeat at the other one the first’s answer, while the broker has not said a word', async () => {
    const { draft, token, place } = await world.approved();
    const { promise: asked, resolve: isAsked } = Promise.withResolvers<void>();
    const { promise: mayAnswer, resolve: answer } = Promise.withResolvers<void>();
    world.broker.onSubmit.push(async (control) => {
      isAsked();
      await mayAnswer;
      control.answer(200, orderJson(control.accept()));
    });
    const first = answerOf(place());
    await asked;
    const lookUps = () => world.broker.requests.filter((request) => request.includes('by_client_order_id'));
    const repeat = answerOf(another.place(draft, token));
    // It has found the intent, and waits: another claim would be told "known" by now.
    await systemClock.sleep(200);
    expect(lookUps()).toEqual([]);
    answer();
    const [one, two] = await Promise.all([first, repeat]);
    expect([one.status, two.status]).toEqual([201, 200]);
    expect(two.body).toEqual(one.body);
    expect(world.broker.submissions).toHaveLength(1);
  });

  it('let an approval be used at one of them for one order alone', async () => {
    const [draft, other] = [world.draft(), world.draft()];
    const claims = { jti: 'the same' };
    const first = await world.approve(draft, { claims });
    const second = await world.approve(other, { claims });
    const answers = await Promise.all([answerOf(world.place(draft, first)), answerOf(another.place(other, second))]);
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, 403]);
    expect(answers.find(({ status }) => status === 403)?.body.code).toBe('approval_already_used');
    expect(world.broker.submissions).toHaveLength(1);
  });
});
