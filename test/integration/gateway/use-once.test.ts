import { decodeJwt } from 'jose';
import { beforeEach, describe, expect, it } from 'vitest';
import { buildTradeOrderDetails } from '../../../src/trading/approval-details.ts';
import { orderSchema } from '../../../src/trading/views.ts';
import {
  insufficient,
  lostEntirely,
  orderJson,
  refusedWith,
  type SubmissionControl,
  tooMany,
} from './support/alpaca-stand-in.ts';
import { gate, readAfter } from './support/limited.ts';
import { answerOf, startWorld, type World } from './support/world.ts';

let world: World;
beforeEach(async () => {
  world = await startWorld();
});

/** What it says and by which status. */
const told = async (response: Response | Promise<Response>) => {
  const { status, body } = await answerOf(response);
  return [status, body.code];
};

const answeredAfter =
  ({ pass }: ReturnType<typeof gate>) =>
  async ({ accept, answer }: SubmissionControl) => {
    await pass();
    answer(200, orderJson(accept()));
  };

describe('one approval, one order', () => {
  it('places the approved order, to the last field', async () => {
    const { draft, place } = await world.approved();
    const { status, headers, body } = await answerOf(place());
    expect([status, headers.get('idempotent-replay')]).toEqual([201, null]);
    const { client_order_id, symbol, side, qty, type, time_in_force, limit_price, extended_hours } = draft;
    const sent = { client_order_id, symbol, side, qty, type, time_in_force, limit_price, extended_hours };
    expect(orderSchema.parse(body)).toMatchObject({ ...sent, notional: null });
    expect(world.broker.submissions).toEqual([sent]);
  });

  it('answers the same request again with the first result, even after a restart', async () => {
    const { place } = await world.approved();
    const first = await (await place()).json();
    for (const restart of [false, true]) {
      if (restart) world.restart();
      const again = await place();
      expect(again.status).toBe(200);
      expect(again.headers.get('idempotent-replay')).toBe('true');
      expect(await again.json()).toEqual(first);
    }
    expect(world.broker.submissions).toHaveLength(1);
  });

  it('does so by a second approval of the same order too', async () => {
    const { draft, place } = await world.approved();
    await place();
    expect((await world.place(draft, await world.approve(draft))).status).toBe(200);
    expect(world.broker.submissions).toHaveLength(1);
  });

  it('does so after the approval expired, since it asks for no new order', async () => {
    const { place } = await world.approved();
    await place();
    world.clock.advance(250_000);
    expect((await place()).status).toBe(200);
    expect(world.broker.submissions).toHaveLength(1);
  });

  it('refuses a second order by an approval whose jti was used', async () => {
    await world.order({}, { jti: 'the-same' });
    const response = await world.order({ qty: '6' }, { jti: 'the-same' });
    expect(response.headers.get('www-authenticate')).toContain('insufficient_authorization_details');
    expect(await told(response)).toEqual([403, 'approval_already_used']);
    expect(world.broker.submissions).toHaveLength(1);
  });

  it('refuses another order under a client_order_id that was used', async () => {
    const client_order_id = 'ta-the-same';
    await world.order({ client_order_id });
    const second = world.order({ qty: '6', client_order_id });
    expect(await told(second)).toEqual([409, 'client_order_id_conflict']);
    expect(world.broker.submissions).toHaveLength(1);
  });

  it('lets nobody keep another user from a client_order_id: bob’s order of that id is bob’s alone', async () => {
    const client_order_id = 'ta-the-same';
    const bobs = await world.order({ account: 'PA3BOB0001', client_order_id }, { sub: 'bob' });
    expect(bobs.status).toBe(201);
    const alices = await world.order({ client_order_id, qty: '6' });
    expect([alices.status, alices.headers.has('idempotent-replay')]).toEqual([201, false]);
    expect(world.broker.book.map(({ owner, request }) => [owner, request.qty])).toEqual([
      ['bob', '5'],
      ['alice', '6'],
    ]);
    // Each finds their own by it.
    const found = async (sub: string) => (await world.lookUp(client_order_id, { sub })).body.qty;
    expect([await found('alice'), await found('bob')]).toEqual(['6', '5']);
  });

  it('never answers alice with what becomes of bob’s order of the same id, which is under way', async () => {
    const alices = await world.approved();
    const { client_order_id } = alices.draft;
    const broker = gate();
    world.broker.onSubmit.push(lostEntirely, answeredAfter(broker));
    expect(await told(alices.place())).toEqual([504, 'outcome_unknown']);
    const bobs = await world.approved({ account: 'PA3BOB0001', client_order_id }, { sub: 'bob' });
    const placing = bobs.place();
    await broker.reached;
    const first = Promise.race([alices.place(), placing]);
    expect(await told(first)).toEqual([504, 'outcome_unknown']);
    broker.open();
    expect((await placing).status).toBe(201);
    expect(world.broker.book.map(({ owner }) => owner)).toEqual(['bob']);
  });

  it('places nothing in alice’s account for bob, who has her order and its id', async () => {
    const { draft, place } = await world.approved();
    await place();
    const bobs = await world.approve(draft, { claims: { sub: 'bob' } });
    expect(await told(world.place(draft, bobs))).toEqual([403, 'account_mismatch']);
    expect(world.broker.submissions).toHaveLength(1);
  });
});

describe('an approval', () => {
  it('by another user places no order in the account it names', async () => {
    await world.refuses(world.order({}, { sub: 'bob' }), 403, 'account_mismatch', { fields: ['account'] });
  });

  it('of an account that is not the user’s places no order', async () => {
    await world.refuses(world.order({ account: 'PA3BOB0001' }), 403, 'account_mismatch');
  });

  it('that has expired places no order, although the token still lives', async () => {
    const { place } = await world.approved();
    world.clock.advance(241_000);
    await world.refuses(place(), 403, 'approval_expired');
  });

  it('for live trading places no order at a gateway for paper trading', async () => {
    await world.refuses(world.order({ environment: 'live' }), 403, 'environment_mismatch');
  });

  it('by a user without a connected account places no order', async () => {
    await world.refuses(world.order({}, { sub: 'carol' }), 409, 'account_not_connected');
  });

  it('of a type by another name works where the gateway is told that name, and only there', async () => {
    const other = await startWorld({ detailsType: 'https://example.com/trade' });
    const { draft, place } = await other.approved();
    const details = buildTradeOrderDetails(draft, { gateway: other.url });
    const wrong = await other.approve(draft, { claims: { authorization_details: [details] } });
    await other.refuses(other.place(draft, wrong), 403, 'approval_missing');
    expect((await place()).status).toBe(201);
  });

  it('is not used up by a refusal', async () => {
    const { draft, token, place } = await world.approved({ type: 'market' });
    await world.place({ ...draft, qty: '6' }, token);
    world.broker.price.ask = 200;
    await world.refuses(place(), 409, 'price_moved');
    world.broker.readsFail = 503;
    await world.refuses(place(), 502, 'broker_unavailable');
    world.broker.readsFail = undefined;
    world.broker.price.ask = 180.01;
    expect((await place()).status).toBe(201);
  });
});

describe('identical requests at the same time', () => {
  it('give one order, and its result to all', async () => {
    const { place } = await world.approved();
    const responses = await Promise.all(Array.from({ length: 8 }, () => place()));
    expect(responses.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 200, 200, 201]);
    const bodies = await Promise.all(responses.map((response) => response.json()));
    expect(new Set(bodies.map((body) => orderSchema.parse(body).id)).size).toBe(1);
    expect(world.broker.submissions).toHaveLength(1);
  });

  it('are checked once: the later one is not told "price moved" of an order that is placed', async () => {
    const checking = gate();
    let checks = 0;
    const slow = await startWorld({
      rules: readAfter(async () => {
        checks += 1;
        // First what is to be read of the world; then what it is held to.
        if (checks >= 2) await checking.pass();
      }),
    });
    const { place } = await slow.approved();
    const first = place();
    await checking.reached;
    const second = place();
    // This goes all the way to the broker and back: the second is there by then.
    await slow.read('/v1/clock');
    slow.broker.price.ask = 500;
    checking.open();
    expect((await first).status).toBe(201);
    expect((await second).status).toBe(200);
    // By the first alone.
    expect(checks).toBe(2);
  });

  it('wait for a submission that is under way', async () => {
    const { draft, place } = await world.approved();
    const broker = gate();
    world.broker.onSubmit.push(answeredAfter(broker));
    const first = place();
    await broker.reached;
    const second = place();
    const asked = world.lookUp(draft.client_order_id);
    // This goes all the way to the broker and back; when it returns, the two above have long been where they wait.
    expect((await world.read('/v1/clock')).status).toBe(200);
    // They wait, they don't ask: a look-up now would find nothing and call the outcome unknown.
    expect(world.broker.requests).not.toContain('GET /v2/orders:by_client_order_id');
    broker.open();
    expect((await first).status).toBe(201);
    expect((await second).status).toBe(200);
    expect((await asked).status).toBe(200);
    expect(world.broker.submissions).toHaveLength(1);
  });

  it('of two orders by one approval place one', async () => {
    const both = [await world.approved({}, { jti: 'shared' }), await world.approved({}, { jti: 'shared' })];
    const responses = await Promise.all(both.map(({ place }) => place()));
    expect(responses.map(({ status }) => status).sort()).toEqual([201, 403]);
    expect(world.broker.submissions).toHaveLength(1);
  });
});

describe('what the broker says no to', () => {
  it('for lack of buying power is told as that, and again for the same request', async () => {
    const { place } = await world.approved();
    world.broker.onSubmit.push(insufficient);
    expect(await told(place())).toEqual([422, 'insufficient_funds']);
    const again = await place();
    expect(again.headers.get('idempotent-replay')).toBe('true');
    expect(await told(again)).toEqual([422, 'insufficient_funds']);
    expect(world.broker.submissions).toHaveLength(1);
    expect(world.broker.book).toEqual([]);
  });

  it('for another reason is told with the broker’s words', async () => {
    const message = 'potential wash trade detected';
    world.broker.onSubmit.push(refusedWith(403, { code: 40310000, message }));
    const body = { code: 'broker_rejected', broker_message: message, broker_code: '40310000' };
    expect(await answerOf(world.order())).toMatchObject({ status: 422, body });
  });

  it('in words that draw, ring, turn around or never end is told in one plain line', async () => {
    const { place } = await world.approved();
    const message = `\u001b[2Jno\u0007\r\n\u202eshares\ud800 ${'x'.repeat(400)}`;
    world.broker.onSubmit.push(refusedWith(403, { code: 40310000, message }));
    const said = { code: 'broker_rejected', broker_message: `no shares\ufffd ${'x'.repeat(288)}…` };
    for (const _ of ['first', 'again']) expect((await answerOf(place())).body).toMatchObject(said);
  });

  it.each([
    ['a rate limit', 429, 503, 'broker_busy'],
    ['a broken session', 401, 409, 'account_not_connected'],
  ])('for %s leaves the approval good for the same order', async (_, brokerStatus, status, code) => {
    const { token, place } = await world.approved();
    world.broker.onSubmit.push(refusedWith(brokerStatus, { code: 1, message: 'not now' }));
    expect(await told(place())).toEqual([status, code]);
    expect((await place()).status).toBe(200);
    expect(world.broker.book).toHaveLength(1);
    // The approval was used for that one all the same.
    const { jti } = decodeJwt(token);
    expect(await told(world.order({}, { jti }))).toEqual([403, 'approval_already_used']);
  });

  it('and then the price moves: the same request is told the price, not sent', async () => {
    const { place } = await world.approved({ type: 'market' });
    world.broker.onSubmit.push(tooMany);
    await place();
    world.broker.price.ask = 200;
    expect(await told(place())).toEqual([409, 'price_moved']);
    expect(world.broker.book).toEqual([]);
  });
});
