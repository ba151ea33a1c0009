import { beforeEach, describe, expect, it } from 'vitest';
import {
  insufficient,
  lostEntirely,
  type SubmissionControl,
  takenAsAnother,
  takenBut,
  takenButLost,
  tooMany,
} from './support/alpaca-stand-in.ts';
import { gate, readAfter } from './support/limited.ts';
import { answerOf, startWorld, type World } from './support/world.ts';

let world: World;
let order: Awaited<ReturnType<World['approved']>>;
beforeEach(async () => {
  world = await startWorld({ brokerTimeoutMs: 300 });
  order = await world.approved();
});

const place = async () => {
  const { draft } = order;
  const { status, headers, body } = await answerOf(order.place());
  const { code, id, client_order_id = draft.client_order_id } = body;
  // Whatever is answered, it is about this order.
  expect(client_order_id).toBe(draft.client_order_id);
  return { status, code, id, replay: headers.has('idempotent-replay') };
};
const ask = async () => {
  const { status, body } = await world.lookUp(order.draft.client_order_id);
  const { code, id, outcome } = body as { code?: string; id?: string; outcome?: { code: string } };
  return { status, code, id, outcome: outcome?.code };
};
const unknown = { status: 504, code: 'outcome_unknown' };
const stateOf = () => world.database.prepare('SELECT state, submissions, ambiguous FROM gateway_orders').get();

describe('a submission whose answer is lost', () => {
  it.each<[string, (control: SubmissionControl) => void]>([
    ['by a dropped connection', takenButLost],
    ['by a time-out', ({ accept }) => void accept()],
    ['behind a 500', takenBut(500, { message: 'internal server error' })],
    ['behind a proxy’s page', takenBut(403, 'Access denied')],
    ['in an answer that makes no sense', takenBut(200, { id: 'x' })],
    ['in an answer about another order', takenAsAnother],
  ])('%s is found by its client_order_id: one order', async (_, misbehave) => {
    world.broker.onSubmit.push(misbehave);
    const placed = await place();
    expect(placed).toMatchObject({ status: 201, id: world.broker.book[0]?.id });
    expect(world.broker.submissions).toHaveLength(1);
    expect(await place()).toMatchObject({ status: 200, replay: true, id: placed.id });
    expect(world.broker.submissions).toHaveLength(1);
  });

  it('is found when the broker’s reads lag behind', async () => {
    world.broker.hiddenLookups = 3;
    world.broker.onSubmit.push(takenButLost);
    expect(await place()).toMatchObject({ status: 201 });
    expect(world.clock.slept.length).toBeGreaterThan(0);
  });

  it('stays unknown while nothing is found, and is settled by a later GET', async () => {
    world.broker.hiddenLookups = 7;
    world.broker.onSubmit.push(takenButLost);
    expect(await place()).toMatchObject(unknown);
    expect(stateOf()).toMatchObject({ state: 'unknown' });
    expect(await ask()).toMatchObject(unknown);
    expect(await place()).toMatchObject(unknown);
    const found = await ask();
    expect(found).toMatchObject({ status: 200, id: world.broker.book[0]?.id });
    expect(stateOf()).toMatchObject({ state: 'placed' });
    expect(world.broker.submissions).toHaveLength(1);
  });

  it('is settled by the same POST later', async () => {
    world.broker.hiddenLookups = 5;
    world.broker.onSubmit.push(takenBut(503, { message: 'unavailable' }));
    expect(await place()).toMatchObject(unknown);
    expect(await place()).toMatchObject({ status: 200, replay: true, id: world.broker.book[0]?.id });
    expect(world.broker.submissions).toHaveLength(1);
  });

  it('is not sent again at once, however often it is asked for', async () => {
    world.broker.onSubmit.push(lostEntirely);
    expect(await place()).toMatchObject(unknown);
    for (let i = 0; i < 3; i++) expect(await place()).toMatchObject(unknown);
    expect(world.broker.submissions).toHaveLength(1);
  });

  it('is never sent again by a GET', async () => {
    world.broker.onSubmit.push(lostEntirely);
    await place();
    world.clock.advance(60_000);
    expect(await ask()).toMatchObject(unknown);
    expect(world.broker.submissions).toHaveLength(1);
  });

  it('is sent again, with the same id, once nothing of ours can be on its way', async () => {
    world.broker.onSubmit.push(lostEntirely);
    await place();
    world.clock.advance(31_000);
    expect(await place()).toMatchObject({ status: 200, replay: true });
    expect(world.broker.book).toHaveLength(1);
    expect(world.broker.submissions).toHaveLength(2);
    expect(world.broker.submissions[1]).toEqual(world.broker.submissions[0]);
  });

  it('sent again is found where the first one was taken after all', async () => {
    world.broker.hiddenLookups = 6;
    world.broker.onSubmit.push(takenButLost);
    expect(await place()).toMatchObject(unknown);
    world.clock.advance(31_000);
    // The look-up before it misses; the broker rejects the duplicate, which proves that the first one is there.
    expect(await place()).toMatchObject({ status: 200, id: world.broker.book[0]?.id });
    expect(world.broker.submissions).toHaveLength(2);
    expect(world.broker.book).toHaveLength(1);
  });

  it('sent again twice at the same time goes out once', async () => {
    world.broker.onSubmit.push(lostEntirely);
    await place();
    world.clock.advance(31_000);
    const results = await Promise.all([place(), place(), place()]);
    expect(new Set(results.map(({ id }) => id)).size).toBe(1);
    expect(world.broker.submissions).toHaveLength(2);
    expect(world.broker.book).toHaveLength(1);
  });

  it.each([
    ['refused', insufficient],
    ['turned away for a rate limit', tooMany],
  ])('sent again and %s says nothing about the first: still unknown', async (_, misbehave) => {
    world.broker.onSubmit.push(lostEntirely, misbehave);
    await place();
    world.clock.advance(31_000);
    expect(await place()).toMatchObject(unknown);
    expect(stateOf()).toMatchObject({ state: 'unknown', submissions: 2, ambiguous: 1 });
  });

  it('is not sent again when the price has moved meanwhile, and not told as such', async () => {
    // A limit order would wait at the new price, so it would be sent again.
    order = await world.approved({ type: 'market' });
    world.broker.onSubmit.push(lostEntirely);
    await place();
    world.clock.advance(31_000);
    world.broker.price.ask = 200;
    expect(await place()).toMatchObject(unknown);
    expect(world.broker.submissions).toHaveLength(1);
  });

  it('stays unknown while the broker is down', async () => {
    world.broker.onSubmit.push(({ accept, drop }) => {
      accept();
      world.broker.readsFail = 503;
      drop();
    });
    expect(await place()).toMatchObject(unknown);
    expect(await ask()).toMatchObject(unknown);
    expect(await place()).toMatchObject(unknown);
    world.broker.readsFail = undefined;
    expect(await place()).toMatchObject({ status: 200, id: world.broker.book[0]?.id });
  });

  it('is written off only after five minutes of misses that follow the end of the approval', async () => {
    world.broker.onSubmit.push(lostEntirely);
    await place();
    world.clock.advance(241_000);
    expect(await ask()).toMatchObject(unknown);
    // Long after the submission and the approval's end, but the broker was not asked meanwhile.
    world.clock.advance(3_600_000);
    for (let minutes = 0; minutes < 5; minutes++) {
      expect(await ask()).toMatchObject(unknown);
      world.clock.advance(60_000);
    }
    expect(await ask()).toMatchObject({ status: 404, code: 'not_found', outcome: 'not_placed' });
    expect(stateOf()).toMatchObject({ state: 'rejected' });
    expect(world.broker.submissions).toHaveLength(1);
  });

  it('is not proved to be nothing by a look into another account', async () => {
    world.broker.hiddenLookups = 5;
    world.broker.onSubmit.push(takenButLost);
    expect(await place()).toMatchObject(unknown);
    // Alice has connected another account since.
    world.issuer.connected.set('alice', 'broker-token-of-bob');
    world.restart();
    world.clock.advance(600_000);
    expect(await ask()).toMatchObject(unknown);
    world.issuer.connected.set('alice', 'broker-token-of-alice');
    world.restart();
    expect(await ask()).toMatchObject({ status: 200, id: world.broker.book[0]?.id });
  });

  it('survives a restart of the gateway', async () => {
    world.broker.hiddenLookups = 5;
    world.broker.onSubmit.push(takenButLost);
    expect(await place()).toMatchObject(unknown);
    world.restart();
    expect(await place()).toMatchObject({ status: 200, id: world.broker.book[0]?.id });
    expect(world.broker.submissions).toHaveLength(1);
  });
});

describe('a gateway that died after the intent was written', () => {
  const die = () => {
    // What kill -9 leaves behind: the intent, and nothing else.
    world.database.exec("UPDATE gateway_orders SET state = 'intent', result = NULL");
    world.restart();
  };

  it('finds the order that went out', async () => {
    await place();
    die();
    expect(await place()).toMatchObject({ status: 200, id: world.broker.book[0]?.id });
    expect(world.broker.submissions).toHaveLength(1);
  });

  it('sends the order that did not, after a while, by the same approval', async () => {
    await place();
    world.broker.book.length = 0;
    die();
    expect(await place()).toMatchObject(unknown);
    expect(world.broker.submissions).toHaveLength(1);
    world.clock.advance(31_000);
    expect(await place()).toMatchObject({ status: 200 });
    expect(world.broker.book).toHaveLength(1);
  });

  it('tells a GET that the outcome is not known', async () => {
    await place();
    world.broker.book.length = 0;
    die();
    expect(await ask()).toMatchObject(unknown);
  });
});

it('an order that is still being looked at is not called unknown to the gateway', async () => {
  const looking = gate();
  const slow = await startWorld({ rules: readAfter(looking.pass) });
  const { draft, place } = await slow.approved();
  const { client_order_id } = draft;
  const placing = place();
  await looking.reached;
  expect(await slow.lookUp(client_order_id)).toMatchObject({ status: 504, body: unknown });
  expect((await slow.lookUp(client_order_id, { sub: 'bob' })).status).toBe(404);
  looking.open();
  expect((await placing).status).toBe(201);
  expect((await slow.lookUp(client_order_id)).status).toBe(200);
});

it('an order that is written while it is looked up is not called unknown to the gateway', async () => {
  const looking = gate();
  /** Runs once, between the journal's answer to a look-up and what follows from it. */
  let meanwhile: (() => Promise<unknown>) | undefined;
  const slow = await startWorld({
    brokerTimeoutMs: 300,
    rules: readAfter(looking.pass),
    stores: (stores) => ({
      ...stores,
      orders: {
        ...stores.orders,
        async find(...key) {
          const entry = await stores.orders.find(...key);
          const happens = meanwhile;
          meanwhile = undefined;
          await happens?.();
          return entry;
        },
      },
    }),
  });
  // The broker takes the order, its answer is lost, and its reads lag behind.
  slow.broker.hiddenLookups = 100;
  slow.broker.onSubmit.push(takenButLost);
  const { draft, place } = await slow.approved();
  const placing = place();
  await looking.reached;
  meanwhile = async () => {
    looking.open();
    await placing;
  };
  const found = await slow.lookUp(draft.client_order_id);
  expect((await placing).status).toBe(504);
  expect(found).toMatchObject({ status: 504, body: unknown });
});

it('an order of someone else’s under our id is never reported as ours', async () => {
  world.broker.onSubmit.push(({ accept, answer }) => {
    const order = accept();
    world.broker.book.splice(0, 1, { ...order, request: { ...order.request, qty: '500' } });
    answer(422, { code: 40010001, message: 'client_order_id must be unique' });
  });
  expect(await place()).toMatchObject({ status: 409, code: 'client_order_id_conflict' });
  expect(await place()).toMatchObject({ status: 409, replay: true });
  expect(await ask()).toMatchObject({ status: 404, code: 'not_found', outcome: 'client_order_id_conflict' });
});
