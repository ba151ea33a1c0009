import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { tradeOrderDetails } from '../../../src/trading/approval-details.ts';
import { orderSchema } from '../../../src/trading/views.ts';
import { orderJson } from './support/alpaca-stand-in.ts';
import { readAfter } from './support/limited.ts';
import { expectRefusal, startWorld, type World } from './support/world.ts';

let world: World;
beforeEach(async () => {
  world = await startWorld();
});
afterEach(() => world.close());

const codeOf = async (response: Response) => ((await response.json()) as { code: string }).code;

describe('one approval, one order', () => {
  it('places the approved order, to the last field', async () => {
    const draft = world.draft();
    const response = await world.place(draft, await world.approve(draft));
    expect(response.status).toBe(201);
    expect(response.headers.get('idempotent-replay')).toBeNull();
    expect(orderSchema.parse(await response.json())).toMatchObject({
      client_order_id: draft.client_order_id,
      symbol: 'AAPL',
      side: 'buy',
      qty: '5',
      limit_price: '180.00',
      notional: null,
    });
    expect(world.broker.submissions).toEqual([
      {
        client_order_id: draft.client_order_id,
        symbol: 'AAPL',
        side: 'buy',
        qty: '5',
        type: 'limit',
        time_in_force: 'day',
        limit_price: '180.00',
        extended_hours: false,
      },
    ]);
  });

  it('answers the same request again with the first result, even after a restart', async () => {
    const draft = world.draft();
    const token = await world.approve(draft);
    const first = await (await world.place(draft, token)).json();
    for (const restart of [false, true]) {
      if (restart) world.restart();
      const again = await world.place(draft, token);
      expect(again.status).toBe(200);
      expect(again.headers.get('idempotent-replay')).toBe('true');
      expect(await again.json()).toEqual(first);
    }
    expect(world.broker.submissions).toHaveLength(1);
  });

  it('does so by a second approval of the same order too', async () => {
    const draft = world.draft();
    await world.place(draft, await world.approve(draft));
    const again = await world.place(draft, await world.approve(draft));
    expect(again.status).toBe(200);
    expect(world.broker.submissions).toHaveLength(1);
  });

  it('does so after the approval expired, since it asks for no new order', async () => {
    const draft = world.draft();
    const token = await world.approve(draft);
    await world.place(draft, token);
    world.clock.advance(250_000);
    expect((await world.place(draft, token)).status).toBe(200);
    expect(world.broker.submissions).toHaveLength(1);
  });

  it('refuses a second order by an approval whose jti was used', async () => {
    const first = world.draft();
    await world.place(first, await world.approve(first, { claims: { jti: 'the-same' } }));
    const second = world.draft({ qty: '6' });
    const response = await world.place(second, await world.approve(second, { claims: { jti: 'the-same' } }));
    expect(response.headers.get('www-authenticate')).toContain('insufficient_authorization_details');
    expect([response.status, await codeOf(response)]).toEqual([403, 'approval_already_used']);
    expect(world.broker.submissions).toHaveLength(1);
  });

  it('refuses another order under a client_order_id that was used', async () => {
    const first = world.draft();
    await world.place(first, await world.approve(first));
    const second = world.draft({ qty: '6', client_order_id: first.client_order_id });
    const response = await world.place(second, await world.approve(second));
    expect([response.status, await codeOf(response)]).toEqual([409, 'client_order_id_conflict']);
    expect(world.broker.submissions).toHaveLength(1);
  });

  it('lets nobody keep another user from a client_order_id: bob’s order of that id is bob’s alone', async () => {
    const bobs = world.draft({ account: 'PA3BOB0001' });
    expect((await world.place(bobs, await world.approve(bobs, { claims: { sub: 'bob' } }))).status).toBe(201);
    const alices = world.draft({ client_order_id: bobs.client_order_id, qty: '6' });
    const response = await world.place(alices, await world.approve(alices));
    expect(response.status).toBe(201);
    expect(response.headers.has('idempotent-replay')).toBe(false);
    expect(world.broker.book.map(({ owner, request }) => [owner, request.qty])).toEqual([
      ['bob', '5'],
      ['alice', '6'],
    ]);
    // Each finds their own by it.
    const path = `/v1/orders:by_client_order_id?client_order_id=${bobs.client_order_id}`;
    const found = async (sub: string) =>
      (await (await world.get(path, await world.reader('orders:read', { sub }))).json()) as { qty?: string };
    expect([(await found('alice')).qty, (await found('bob')).qty]).toEqual(['6', '5']);
  });

  it('never answers alice with what becomes of bob’s order of the same id, which is under way', async () => {
    const alices = world.draft();
    const token = await world.approve(alices);
    const arrived = Promise.withResolvers<void>();
    const decided = Promise.withResolvers<void>();
    world.broker.onSubmit.push(
      ({ drop }) => drop(),
      async ({ accept, answer }) => {
        arrived.resolve();
        await decided.promise;
        answer(200, orderJson(accept()));
      },
    );
    expect(await codeOf(await world.place(alices, token))).toBe('outcome_unknown');
    const bobs = world.draft({ account: 'PA3BOB0001', client_order_id: alices.client_order_id });
    const placing = world.place(bobs, await world.approve(bobs, { claims: { sub: 'bob' } }));
    await arrived.promise;
    const asked = world.place(alices, token);
    const first = await Promise.race([asked, placing]);
    decided.resolve();
    expect([first.status, await codeOf(first)]).toEqual([504, 'outcome_unknown']);
    expect((await placing).status).toBe(201);
    expect(world.broker.book.map(({ owner }) => owner)).toEqual(['bob']);
  });

  it('places nothing in alice’s account for bob, who has her order and its id', async () => {
    const first = world.draft();
    await world.place(first, await world.approve(first));
    const response = await world.place(first, await world.approve(first, { claims: { sub: 'bob' } }));
    expect([response.status, await codeOf(response)]).toEqual([403, 'account_mismatch']);
    expect(world.broker.submissions).toHaveLength(1);
  });

  it('refuses a replayed approval: the next one with the previous one’s jti', async () => {
    const first = world.draft();
    const second = world.draft();
    await world.place(first, await world.approve(first, { claims: { jti: 'replayed' } }));
    const response = await world.place(second, await world.approve(second, { claims: { jti: 'replayed' } }));
    expect(await codeOf(response)).toBe('approval_already_used');
    expect(world.broker.book).toHaveLength(1);
  });
});

describe('an approval', () => {
  it('by another user places no order in the account it names', async () => {
    const draft = world.draft();
    const token = await world.approve(draft, { claims: { sub: 'bob' } });
    await expectRefusal(world, await world.place(draft, token), 403, 'account_mismatch', {
      fields: ['account'],
    });
  });

  it('of an account that is not the user’s places no order', async () => {
    const draft = world.draft({ account: 'PA3BOB0001' });
    await expectRefusal(world, await world.place(draft, await world.approve(draft)), 403, 'account_mismatch');
  });

  it('that has expired places no order, although the token still lives', async () => {
    const draft = world.draft();
    const token = await world.approve(draft);
    world.clock.advance(241_000);
    await expectRefusal(world, await world.place(draft, token), 403, 'approval_expired');
  });

  it('for live trading places no order at a gateway for paper trading', async () => {
    const draft = world.draft({ environment: 'live' });
    await expectRefusal(
      world,
      await world.place(draft, await world.approve(draft)),
      403,
      'environment_mismatch',
    );
  });

  it('by a user without a connected account places no order', async () => {
    const draft = world.draft();
    const token = await world.approve(draft, { claims: { sub: 'carol' } });
    await expectRefusal(world, await world.place(draft, token), 409, 'account_not_connected');
  });

  it('of a type by another name works where the gateway is told that name, and only there', async () => {
    const other = await startWorld({ detailsType: 'https://example.com/trade' });
    const draft = other.draft();
    const wrong = await other.approve(draft, {
      claims: { authorization_details: [tradeOrderDetails(draft, { gateway: other.url })] },
    });
    await expectRefusal(other, await other.place(draft, wrong), 403, 'approval_missing');
    expect((await other.place(draft, await other.approve(draft))).status).toBe(201);
    await other.close();
  });

  it('is not used up by a refusal', async () => {
    const draft = world.draft();
    const token = await world.approve(draft);
    await world.place({ ...draft, qty: '6' }, token);
    world.broker.price.ask = 200;
    await expectRefusal(world, await world.place(draft, token), 409, 'price_moved');
    world.broker.readsFail = 503;
    await expectRefusal(world, await world.place(draft, token), 502, 'broker_unavailable');
    world.broker.readsFail = undefined;
    world.broker.price.ask = 180.01;
    expect((await world.place(draft, token)).status).toBe(201);
  });
});

describe('identical requests at the same time', () => {
  it('give one order, and its result to all', async () => {
    const draft = world.draft();
    const token = await world.approve(draft);
    const responses = await Promise.all(Array.from({ length: 8 }, () => world.place(draft, token)));
    expect(responses.map(({ status }) => status).sort()).toEqual([200, 200, 200, 200, 200, 200, 200, 201]);
    const bodies = await Promise.all(responses.map((response) => response.json()));
    expect(new Set(bodies.map((body) => orderSchema.parse(body).id)).size).toBe(1);
    expect(world.broker.submissions).toHaveLength(1);
  });

  it('are checked once: the later one is not told "price moved" of an order that is placed', async () => {
    const checking = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    let checks = 0;
    const slow = await startWorld({
      rules: readAfter(async () => {
        checks += 1;
        // First what is to be read of the world; then what it is held to.
        if (checks < 2) return;
        checking.resolve();
        await goOn.promise;
      }),
    });
    onTestFinished(() => slow.close());
    const draft = slow.draft();
    const token = await slow.approve(draft);
    const first = slow.place(draft, token);
    await checking.promise;
    const second = slow.place(draft, token);
    // This goes all the way to the broker and back: the second is there by then.
    await slow.get('/v1/clock', await slow.reader('market:read'));
    slow.broker.price.ask = 500;
    goOn.resolve();
    expect((await first).status).toBe(201);
    expect((await second).status).toBe(200);
    // By the first alone.
    expect(checks).toBe(2);
  });

  it('wait for a submission that is under way', async () => {
    const draft = world.draft();
    const token = await world.approve(draft);
    const arrived = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    world.broker.onSubmit.push(async ({ accept, answer }) => {
      arrived.resolve();
      await goOn.promise;
      answer(200, orderJson(accept()));
    });
    const first = world.place(draft, token);
    await arrived.promise;
    const second = world.place(draft, token);
    const reader = await world.reader('orders:read market:read');
    const asked = world.get(`/v1/orders:by_client_order_id?client_order_id=${draft.client_order_id}`, reader);
    // This goes all the way to the broker and back; when it returns, the two above have long been where they wait.
    expect((await world.get('/v1/clock', reader)).status).toBe(200);
    // They wait, they don't ask: a look-up now would find nothing and call the outcome unknown.
    expect(world.broker.requests).not.toContain('GET /v2/orders:by_client_order_id');
    goOn.resolve();
    expect((await first).status).toBe(201);
    expect((await second).status).toBe(200);
    expect((await asked).status).toBe(200);
    expect(world.broker.submissions).toHaveLength(1);
  });

  it('of two orders by one approval place one', async () => {
    const drafts = [world.draft(), world.draft()];
    const tokens = await Promise.all(
      drafts.map((draft) => world.approve(draft, { claims: { jti: 'shared' } })),
    );
    const responses = await Promise.all(drafts.map((draft, index) => world.place(draft, tokens[index])));
    expect(responses.map(({ status }) => status).sort()).toEqual([201, 403]);
    expect(world.broker.submissions).toHaveLength(1);
  });
});

describe('what the broker says no to', () => {
  it('for lack of buying power is told as that, and again for the same request', async () => {
    const draft = world.draft();
    const token = await world.approve(draft);
    world.broker.onSubmit.push(({ answer }) =>
      answer(403, { code: 40310000, message: 'insufficient buying power', buying_power: '1' }),
    );
    const first = await world.place(draft, token);
    expect([first.status, await codeOf(first)]).toEqual([422, 'insufficient_funds']);
    const again = await world.place(draft, token);
    expect([again.status, await codeOf(again)]).toEqual([422, 'insufficient_funds']);
    expect(again.headers.get('idempotent-replay')).toBe('true');
    expect(world.broker.submissions).toHaveLength(1);
    expect(world.broker.book).toEqual([]);
  });

  it('for another reason is told with the broker’s words', async () => {
    const draft = world.draft();
    world.broker.onSubmit.push(({ answer }) =>
      answer(403, { code: 40310000, message: 'potential wash trade detected' }),
    );
    const response = await world.place(draft, await world.approve(draft));
    expect(response.status).toBe(422);
    expect(await response.json()).toMatchObject({
      code: 'broker_rejected',
      broker_message: 'potential wash trade detected',
      broker_code: '40310000',
    });
  });

  it('in words that draw, ring, turn around or never end is told in one plain line', async () => {
    const draft = world.draft();
    const token = await world.approve(draft);
    world.broker.onSubmit.push(({ answer }) =>
      answer(403, { code: 40310000, message: `\u001b[2Jno\u0007\r\n\u202eshares\ud800 ${'x'.repeat(400)}` }),
    );
    const said = {
      code: 'broker_rejected',
      broker_message: `no shares\ufffd ${'x'.repeat(288)}…`,
    };
    expect(await (await world.place(draft, token)).json()).toMatchObject(said);
    expect(await (await world.place(draft, token)).json()).toMatchObject(said);
  });

  it.each([
    ['a rate limit', 429, 503, 'broker_busy'],
    ['a broken session', 401, 409, 'account_not_connected'],
  ])('for %s leaves the approval good for the same order', async (_, brokerStatus, status, code) => {
    const draft = world.draft();
    const token = await world.approve(draft);
    world.broker.onSubmit.push(({ answer }) => answer(brokerStatus, { code: 1, message: 'not now' }));
    const first = await world.place(draft, token);
    expect([first.status, await codeOf(first)]).toEqual([status, code]);
    const second = await world.place(draft, token);
    expect(second.status).toBe(200);
    expect(world.broker.book).toHaveLength(1);
    // The approval was used for that one all the same.
    const other = world.draft();
    const { jti } = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());
    const reused = await world.place(other, await world.approve(other, { claims: { jti } }));
    expect(await codeOf(reused)).toBe('approval_already_used');
  });

  it('and then the price moves: the same request is told the price, not sent', async () => {
    const draft = world.draft();
    const token = await world.approve(draft);
    world.broker.onSubmit.push(({ answer }) => answer(429, { code: 42910000, message: 'too many requests' }));
    await world.place(draft, token);
    world.broker.price.ask = 200;
    expect(await codeOf(await world.place(draft, token))).toBe('price_moved');
    expect(world.broker.book).toEqual([]);
  });
});
