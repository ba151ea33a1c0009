import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { draft } from '../sandbox/identity-provider-fixture.ts';
import { proposalDetails } from '../sandbox/proposal-fixture.ts';
import { type NotifierWorld, openNotifierWorld } from './notifier-world.ts';

let world: NotifierWorld;
beforeEach(async () => {
  world = await openNotifierWorld();
});
afterEach(async () => {
  expect(world.service.complaints).toEqual([]);
  await world.close();
});

const received = (count: number) => expect.poll(() => world.service.received).toHaveLength(count);
/** Whatever is under way has ended, and the bell sleeps until something is due. */
const quiet = (ms: number) => expect.poll(() => world.clock.next()).toBeGreaterThan(ms);
/** The ring is recorded, and the next one is due in so many milliseconds. */
const due = (ms: number) => expect.poll(() => world.clock.next()).toBe(ms);

describe('a request', () => {
  it('rings each browser of its person, encrypted, and nobody else’s', async () => {
    await world.subscribe('alice', 'phone');
    await world.subscribe('alice', 'tablet');
    await world.subscribe('bob', 'bobs-phone');
    const request = await world.ask();
    await received(2);
    expect(world.service.received.map(({ browser }) => browser).sort()).toEqual(['phone', 'tablet']);
    const [push] = world.service.received;
    expect(push).toMatchObject({
      ttl: 300,
      urgency: 'high',
      topic: push?.message.tag,
      vapid: { key: world.push().publicKey, sub: 'https://home.example.net' },
      message: {
        kind: 'ask',
        id: request.id,
        title: 'Buy 5 AAPL · PAPER',
        body: 'At most $900.00 in all · Code K7QP',
        expires: request.expiresAt,
      },
    });
    expect(push?.topic).toMatch(/^[\w-]{24}$/);
    expect(push?.topic).not.toContain(request.id);
    await expect
      .poll(async () => (await world.push().subscriptions.of('alice'))[0]?.lastSuccessAt)
      .toBe(world.clock.now());
  });

  it('is as long as may be, and its push still below the limit', async () => {
    await world.subscribe('alice', 'phone');
    const long = '漢"\\'.repeat(900);
    const subject = { ...draft({ symbol: 'AAPL' }) };
    await world.ask('alice', proposalDetails('order', { subject, worst_case: { cash: '1', price: '1', text: long } }));
    await received(1);
    expect(Buffer.byteLength(world.service.received[0]?.text ?? '')).toBeLessThanOrEqual(3072);
  });

  it('says on a lock screen only that it waits, where that was chosen', async () => {
    await world.restart({ content: 'short' });
    await world.subscribe('alice', 'phone');
    await world.ask();
    await received(1);
    const [push] = world.service.received;
    expect(push?.message).toMatchObject({ title: 'An order needs your approval', body: '' });
    // The digits of the time could be those of the amount.
    const { expires, ...rest } = JSON.parse(push?.text ?? '') as { expires: number };
    expect(expires).toBeGreaterThan(0);
    expect(JSON.stringify(rest)).not.toMatch(/AAPL|900|K7QP|PAPER/);
  });

  it('of a message or a lift is named by its kind’s word', async () => {
    await world.subscribe('alice', 'phone');
    await world.ask('alice', proposalDetails('message'));
    await world.ask('alice', proposalDetails('lift'));
    await received(2);
    expect(world.service.received.map(({ message }) => message.title).sort()).toEqual([
      expect.stringMatching(/^Resume trading/),
      expect.stringMatching(/· MESSAGE$/),
    ]);
  });
});

describe('a browser that a passkey let in', () => {
  it('does not ring any more once that is removed, whoever removed it', async () => {
    await world.subscribe('alice', 'phone');
    await world.subscribe('bob', 'bobs-phone');
    world.withoutKey.add('alice');
    await world.ask('alice');
    await world.ask('bob');
    await received(1);
    await quiet(50_000);
    expect(world.service.received.map(({ browser }) => browser)).toEqual(['bobs-phone']);
    expect(await world.push().subscriptions.of('alice')).toEqual([]);
  });
});

describe('a request that nobody has looked at', () => {
  it('rings once more after a minute, and then no more', async () => {
    await world.subscribe('alice', 'phone');
    await world.ask();
    await received(1);
    await due(60_000);
    world.clock.advance(59_000);
    await quiet(500);
    expect(world.service.received).toHaveLength(1);
    world.clock.advance(1100);
    await received(2);
    const [first, second] = world.service.received;
    expect(second?.message).toEqual({ ...first?.message, again: true });
    expect([second?.topic, second?.ttl]).toEqual([first?.topic, 240]);
    await quiet(200_000);
    world.clock.advance(120_000);
    await quiet(100_000);
    expect(world.service.received).toHaveLength(2);
  });

  it('rings sooner where less time is left', async () => {
    await world.subscribe('alice', 'phone');
    await world.ask('alice', proposalDetails('order'), 90_000);
    await received(1);
    await due(30_000);
    world.clock.advance(31_000);
    await received(2);
  });

  it('does not where its page has shown it to its person', async () => {
    await world.subscribe('alice', 'phone');
    const { id } = await world.ask();
    await received(1);
    expect(await world.push().approvalNotifier.seen(id, 'bob')).toBe(false);
    expect(await world.push().approvalNotifier.seen('another', 'alice')).toBe(false);
    expect(await world.push().approvalNotifier.seen(id, 'alice')).toBe(true);
    await quiet(50_000);
    world.clock.advance(61_000);
    await quiet(200_000);
    expect(world.service.received).toHaveLength(1);
  });
});

describe('a request that is settled', () => {
  it.each([
    ['decided', 'Decided', (id: string) => world.requests.decide(id, 'approve')],
    [
      'withdrawn',
      'Withdrawn',
      () => world.requests.tell('auth-req-1', 'trade-agent-gateway', { state: 'cancelled', text: '' }),
    ],
    ['expired', 'Expired', () => world.clock.advance(301_000)],
  ])('is taken back when it is %s', async (_, title, settle) => {
    await world.subscribe('alice', 'phone');
    const { id } = await world.ask();
    await received(1);
    await due(60_000);
    await world.push().approvalNotifier.seen(id, 'alice');
    await settle(id);
    await received(2);
    const [ask, settled] = world.service.received;
    expect(settled?.message).toMatchObject({ kind: 'settled', id, title, body: '', tag: ask?.message.tag });
    expect([settled?.topic, settled?.urgency]).toEqual([ask?.topic, 'normal']);
    expect(settled?.text).not.toMatch(/AAPL|K7QP/);
    await quiet(500_000);
    expect(world.service.received).toHaveLength(2);
  });

  it('is not taken back where it never rang', async () => {
    await world.subscribe('alice', 'phone');
    const { id } = await world.ask();
    await received(1);
    // The ring is recorded once the next one is due. Until then, a later subscription would count as rung.
    await due(60_000);
    world.clock.advance(1000);
    await world.subscribe('alice', 'a-later-phone');
    await world.requests.decide(id, 'deny');
    await received(2);
    await quiet(500_000);
    expect(world.service.received.map(({ browser }) => browser)).toEqual(['phone', 'phone']);
  });

  it('does not ring any more while it is tried again', async () => {
    await world.subscribe('alice', 'phone');
    world.service.answer({ status: 503, headers: { 'retry-after': '5' } });
    const { id } = await world.ask();
    await expect.poll(() => world.service.calls()).toBe(1);
    await due(5000);
    await world.requests.decide(id, 'deny');
    world.clock.advance(5000);
    await received(1);
    expect(world.service.received[0]?.message.kind).toBe('settled');
  });
});

describe('after a restart', () => {
  it('what was asked meanwhile rings, and what had rung does not', async () => {
    await world.subscribe('alice', 'phone');
    const first = await world.ask();
    await received(1);
    await due(60_000);
    await world.stop();
    const second = await world.ask();
    await world.restart();
    await received(2);
    await quiet(50_000);
    expect(world.service.received.map(({ message }) => message.id)).toEqual([first.id, second.id]);
  });

  it('the key is the same, and its private half is on no page, in no push and in no problem', async () => {
    const { publicKey } = world.push();
    await world.restart();
    expect(world.push().publicKey).toBe(publicKey);
    expect(Buffer.from(publicKey, 'base64url')).toHaveLength(65);
    expect(world.problems).toEqual([]);
    expect(Object.keys(world.push())).toEqual([
      'publicKey',
      'subscriptions',
      'approvalNotifier',
      'notifyFill',
      'notifyOrder',
      'notifySignal',
      'tellAccount',
    ]);
  });
});
