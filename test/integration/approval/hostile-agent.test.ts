import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Agent, type ForeignWorld, startForeignWorld } from './foreign-world.ts';

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const buy = (qty: number, more: object = {}, order: object = {}) => ({
  kind: 'order',
  order: { symbol: 'AAPL', side: 'buy', qty: String(qty), ...order },
  ...more,
});
/** As our own client says of what the person typed. */
const typed = { provenance: { fields: { symbol: { source: 'user' }, qty: { source: 'user' } } } };

describe('a hostile agent', () => {
  let world: ForeignWorld;
  let own: Agent;
  let foreign: Agent;
  beforeEach(async () => {
    world = await startForeignWorld();
    own = world.agent('alice', 'trade-agent');
    foreign = world.agent('alice', 'somebody-elses');
  });
  afterEach(() => world.close());

  /** One after the other, each after a tap that says no would be rest: withdrawn instead. */
  const withdraw = (agent: Agent, id: unknown) => agent.send('DELETE', `/v1/proposals/${String(id)}`);

  it('that proposes the same order over and over can’t choose its code', { timeout: 60_000 }, async () => {
    // Within the quotas of an hour the draws are few: the hours pass, and the same key and body never come again.
    const draws = 300;
    const codes: string[] = [];
    for (let number = 0; codes.length < draws; number++) {
      const answer = await own.propose(buy(5), `grind-${number}`);
      if (answer.status === 429) {
        world.advance(3_600_000);
        continue;
      }
      expect(answer.status).toBe(201);
      codes.push(String(answer.body.code));
      await withdraw(own, answer.body.id);
    }
    // Of 32^4 codes: a pair alike comes about every 23rd time, three about once in 70,000 times.
    expect(codes.length - new Set(codes).size).toBeLessThanOrEqual(2);
    const counts = new Map([...CROCKFORD].map((character) => [character, 0]));
    for (const character of codes.join('')) counts.set(character, (counts.get(character) ?? Number.NaN) + 1);
    const expected = (codes.length * 4) / 32;
    const chiSquare = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    // 31 degrees of freedom: beyond 70 about once in ten thousand times.
    expect(chiSquare).toBeLessThan(70);
  });

  it('can’t name its code, its id or its client_order_id', async () => {
    for (const more of [{ code: '0000' }, { id: 'pr_0000000000000000' }, { client: 'trade-agent' }]) {
      expect(await own.propose(buy(5, more), 'k')).toMatchObject({
        status: 400,
        body: { code: 'invalid_proposal' },
      });
    }
    expect(await own.propose(buy(5, {}, { client_order_id: 'mine' }), 'k')).toMatchObject({ status: 400 });
  });

  it('with 500 identical proposals has one open, and rings the phone once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 500 }, (_, number) => foreign.propose(buy(5), `same-${number}`)),
    );
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(1);
    expect(world.issuer.questions).toHaveLength(1);
  });

  it.each([
    ['somebody-elses', 3],
    ['trade-agent', 20],
  ])('by the client %s with 500 different proposals has %i open, and is told so', async (client, most) => {
    const agent = world.agent('alice', client);
    const answers = await Promise.all(
      Array.from({ length: 500 }, (_, number) =>
        agent.propose(buy(1, {}, { limit_price: `${100 + number}`, type: 'limit' }), `k-${number}`),
      ),
    );
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(most);
    expect(world.issuer.questions).toHaveLength(most);
    const refused = answers.filter(({ status }) => status !== 201);
    for (const { status, body } of refused) {
      expect({ status, body }).toMatchObject({
        status: 429,
        body: {
          code: 'too_many_open',
          reason: 'PROPOSALS_EXCEED_MAX_OPEN',
          limit: String(most),
          value: String(most),
        },
      });
    }
  });

  it.each([
    ['somebody-elses', 20],
    ['trade-agent', 60],
  ])('by the client %s that takes each back has %i an hour, and is told when to try again', async (client, most) => {
    const agent = world.agent('alice', client);
    for (let number = 1; number <= most; number++) {
      const { status, body } = await agent.propose(buy(number), `k-${number}`);
      expect(status).toBe(201);
      await withdraw(agent, body.id);
    }
    const over = await agent.propose(buy(most + 1), 'over');
    expect(over).toMatchObject({
      status: 429,
      body: {
        code: 'too_many_asked',
        reason: 'PROPOSALS_EXCEED_MAX_PER_HOUR',
        limit: String(most),
        value: String(most),
      },
    });
    expect(Number(over.headers.get('retry-after'))).toBeGreaterThan(0);
    world.advance(3_600_001);
    expect((await agent.propose(buy(most + 1), 'over')).status).toBe(201);
  });

  it('of a foreign client shuts out neither our own nor another’s', async () => {
    for (let number = 1; number <= 4; number++) await foreign.propose(buy(number), `f-${number}`);
    expect((await foreign.propose(buy(9), 'f-9')).status).toBe(429);
    expect((await own.propose(buy(10), 'mine')).status).toBe(201);
    expect((await world.agent('alice', 'a-third').propose(buy(11), 'third')).status).toBe(201);
    expect((await world.agent('bob', 'somebody-elses').propose(buy(12), 'of-bob')).status).toBe(201);
  });

  it('that fills our own client’s slot leaves the one for what the person types', async () => {
    for (let number = 1; number <= 20; number++) {
      expect((await own.propose(buy(number), `o-${number}`)).status).toBe(201);
    }
    expect((await own.propose(buy(21), 'o-21')).status).toBe(429);
    expect((await own.propose(buy(22, typed), 'typed')).status).toBe(201);
    const tainted = { provenance: { ...typed.provenance, tainted_by: ['standard input'] } };
    expect((await own.propose(buy(23, tainted), 'tainted')).status).toBe(429);
  });

  it('finds another person’s proposal no more than one that is not there, and takes no key from them', async () => {
    const bob = world.agent('bob', 'trade-agent');
    const mine = await own.propose(buy(5), 'a-key-of-both');
    const theirs = await bob.propose(buy(5), 'a-key-of-both');
    expect([mine.status, theirs.status]).toEqual([201, 201]);
    expect(theirs.body.id).not.toBe(mine.body.id);
    const order = (answer: typeof mine) => (answer.body.subject as { client_order_id: string }).client_order_id;
    expect(order(theirs)).not.toBe(order(mine));
    for (const id of [mine.body.id, 'pr_0000000000000000']) {
      for (const method of ['GET', 'DELETE']) {
        const answer = await bob.send(method, `/v1/proposals/${String(id)}`);
        expect(answer).toMatchObject({ status: 404, body: { code: 'not_found' } });
      }
    }
    expect((await bob.send('GET', '/v1/proposals')).body.proposals).toHaveLength(1);
    // The same person's other client has keys of its own too.
    expect((await foreign.propose(buy(6), 'a-key-of-both')).status).toBe(201);
  });

  it('of a foreign client has every field as its own idea, whatever it claims', async () => {
    const { body } = await foreign.propose(buy(5, typed), 'claims');
    const other = { source: 'other', from: 'somebody-elses' };
    const { fields } = body.provenance as { fields: Record<string, object> };
    expect(fields).toMatchObject({ symbol: other, side: other, qty: other });
    expect(Object.values(fields).every((field) => JSON.stringify(field) === JSON.stringify(other))).toBe(true);
    expect(world.issuer.questions[0]?.details).toMatchObject({
      client: 'somebody-elses',
      provenance: { fields },
    });
    expect((await own.propose(buy(6, typed), 'claims')).body.provenance).toEqual(typed.provenance);
  });

  it('of a foreign client goes by the name that it was let in under, whatever it calls itself', async () => {
    const named = (client_name: string, client = 'somebody-elses') =>
      world.agent('alice', client, undefined, { client_name });
    const request = { ...buy(5), requested_by: 'your own terminal' };
    const { body } = await named('Some Agent (agent.example)').propose(request, 'named');
    expect(body).toMatchObject({
      requested_by: 'Some Agent (agent.example)',
      provenance: { fields: { qty: { source: 'other', from: 'Some Agent (agent.example)' } } },
    });
    expect(world.issuer.questions[0]?.details).toMatchObject({
      requested_by: 'Some Agent (agent.example)',
      client: 'somebody-elses',
    });
    // Bounded and inert, also where a provider lets any name through.
    const odd = await named(`\u202eliar\u001b[2J${'x'.repeat(200)}`, 'another').propose(buy(6), 'odd');
    expect(odd.body.requested_by).toMatch(/^[\x20-\x7e]{1,80}$/);
    // What our own client says of itself is what the person sees.
    const ours = await named('an imposter', 'trade-agent').propose(request, 'ours');
    expect(ours.body.requested_by).toBe('your own terminal');
  });

  it('denied twice in a row leaves the person alone for ten minutes; what they type goes on', async () => {
    for (const number of [1, 2]) {
      const { body } = await own.propose(buy(number), `n-${number}`);
      await world.decide(String(body.id), 'deny');
      expect(await own.ended(String(body.id))).toMatchObject({ state: 'denied' });
    }
    const resting = await own.propose(buy(3), 'n-3');
    expect(resting).toMatchObject({
      status: 429,
      body: { code: 'resting', reason: 'PROPOSALS_DENIED_REPEATEDLY' },
    });
    expect(Number(resting.headers.get('retry-after'))).toBeGreaterThan(590);
    expect((await own.propose(buy(4, typed), 'typed')).status).toBe(201);
    expect((await foreign.propose(buy(5), 'theirs')).status).toBe(201);
    world.advance(600_001);
    expect((await own.propose(buy(3), 'n-3')).status).toBe(201);
  });

  it('that asks for the same again within the hour is counted, for the person to see', async () => {
    const first = await own.propose(buy(5), 'one');
    expect(first.body.again).toBeUndefined();
    await world.decide(String(first.body.id), 'deny');
    expect(await own.ended(String(first.body.id))).toMatchObject({ state: 'denied' });
    const second = await own.propose(buy(5), 'two');
    expect(second.body.again).toBe(2);
    expect(world.issuer.questions.at(-1)?.details).toMatchObject({ again: 2 });
    await withdraw(own, second.body.id);
    // By whatever client.
    expect((await foreign.propose(buy(5), 'three')).body.again).toBe(3);
    world.advance(3_600_001);
    expect((await own.propose(buy(5), 'four')).body.again).toBeUndefined();
  });

  it('that may only look can’t ring the phone; one that may send can’t trade', async () => {
    const looks = world.agent('alice', 'looks', 'orders:read');
    expect(await looks.propose(buy(5), 'k')).toMatchObject({
      status: 403,
      body: { code: 'insufficient_scope', required_scopes: ['orders:propose'] },
    });
    const sends = world.agent('alice', 'sends', 'orders:read messages:propose');
    expect(await sends.propose(buy(5), 'k')).toMatchObject({ status: 403 });
    expect(world.issuer.questions).toEqual([]);
  });

  it('that calls back in the provider’s place decides nothing', async () => {
    const { body } = await own.propose(buy(5), 'k');
    await own.propose(buy(6), 'another');
    const [asked, other] = world.issuer.questions;
    const { notificationToken: right = '' } = asked ?? {};
    for (const token of [
      'a-guess',
      asked?.authReqId ?? '',
      other?.notificationToken ?? '',
      right.slice(0, -1),
      `${right}A`,
    ]) {
      const answer = await fetch(`${world.url}/ciba/ping`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ auth_req_id: asked?.authReqId, access_token: 'of mine' }),
      });
      expect(answer.status).toBe(204);
    }
    expect((await own.send('GET', `/v1/proposals/${String(body.id)}`)).body.state).toBe('requested');
  });
});
