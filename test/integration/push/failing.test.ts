import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPushSender } from '../../../src/home/phone/push/push-sender.ts';
import { type NotifierWorld, openNotifierWorld } from './notifier-world.ts';

let world: NotifierWorld;
beforeEach(async () => {
  world = await openNotifierWorld({ tells: true });
  await world.subscribe('alice', 'phone');
});
afterEach(async () => {
  expect(world.service.complaints).toEqual([]);
  await world.close();
});

const calls = (count: number) => expect.poll(() => world.service.calls()).toBe(count);
const sleepsFor = (ms: number) => expect.poll(() => world.clock.next()).toBe(ms);
const told = (count: number) => expect.poll(() => world.told).toHaveLength(count);
const subscription = async () => (await world.push().subscriptions.of('alice'))[0];

describe('a push service that', () => {
  it.each([404, 410])('answers %s: the subscription goes, and the person is told otherwise', async (status) => {
    world.service.answer(status);
    await world.ask();
    await told(1);
    expect(await subscription()).toBeUndefined();
    expect(world.service.calls()).toBe(1);
  });

  it('answers 429 is left alone for as long as it says', async () => {
    world.service.answer({ status: 429, headers: { 'retry-after': '20' } });
    await world.ask();
    await calls(1);
    await sleepsFor(20_000);
    world.clock.advance(20_000);
    await expect.poll(() => world.service.received).toHaveLength(1);
    expect(world.service.received[0]?.ttl).toBe(280);
    expect(world.told).toEqual([]);
    expect((await subscription())?.failures).toBe(0);
  });

  it('asks for longer than an order can wait has the person told otherwise, and is not called before', async () => {
    world.service.answer({ status: 429, headers: { 'retry-after': '600' } });
    await world.ask();
    await told(1);
    expect(await subscription()).toMatchObject({ failures: 1, restsUntil: world.clock.now() + 600_000 });
    await world.ask();
    await told(2);
    expect(world.service.calls()).toBe(1);
  });

  it('fails is tried three times, and no more', async () => {
    world.service.answer(500, 502, 503, 500);
    await world.ask();
    await calls(1);
    await sleepsFor(1000);
    world.clock.advance(1000);
    await calls(2);
    await sleepsFor(5000);
    world.clock.advance(5000);
    await told(1);
    expect(world.service.calls()).toBe(3);
    expect((await subscription())?.failures).toBe(1);
  });

  it('finds it too large is sent less', async () => {
    world.service.answer(413);
    await world.ask();
    await calls(1);
    await sleepsFor(1000);
    world.clock.advance(1000);
    await expect.poll(() => world.service.received).toHaveLength(1);
    expect(world.service.received[0]?.message).toMatchObject({
      title: 'An order needs your approval',
      body: '',
    });
  });

  it.each([400, 401, 403, 302])('answers %s is not asked again', async (status) => {
    world.service.answer(
      status === 302 ? { status, headers: { location: `${world.service.url}/push/phone` } } : status,
    );
    await world.ask();
    await told(1);
    expect(world.service.calls()).toBe(1);
    expect((await subscription())?.failures).toBe(1);
  });

  it('never answers holds nothing up, and is given up', async () => {
    world.service.answer('hang');
    const { id } = await world.ask();
    await calls(1);
    expect((await world.requests.decide(id, 'approve')).outcome).toBe('decided');
    expect((await world.requests.find(id))?.status).toBe('approved');
  });

  it('is not there is as one that fails', async () => {
    const { keys } = world.service.subscribe('elsewhere');
    const owner = { user: 'bob', session: 'a-session', credential: 'bobs-key', name: 'Chrome on Linux' };
    await world.push().subscriptions.add(owner, { endpoint: 'http://127.0.0.1:1/push', keys });
    await world.ask('bob');
    await sleepsFor(1000);
    world.clock.advance(1000);
    await sleepsFor(5000);
    world.clock.advance(5000);
    await told(1);
  });
});

describe('one attempt', () => {
  const push = {
    payload: () => '{}',
    topic: 'topic',
    urgency: 'high',
    until: Date.now() + 60_000,
    wanted: async () => true,
  } as const;
  const known = async () => {
    const found = await subscription();
    if (found === undefined) throw new Error('no subscription');
    return found;
  };
  const sender = (change: Partial<Parameters<typeof createPushSender>[0]> = {}) => {
    const waits: number[] = [];
    const send = createPushSender({
      vapid: { publicKey: world.push().publicKey, privateKey: Buffer.alloc(32, 7).toString('base64url') },
      contact: 'mailto:alice@example.com',
      fetch,
      clock: { now: () => Date.now(), monotonic: () => Date.now(), sleep: async (ms) => void waits.push(ms) },
      closing: new AbortController().signal,
      timeoutMs: 50,
      ...change,
    });
    return { send, waits };
  };

  it('ends in time where there is no answer', async () => {
    world.service.answer('hang', 'hang', 'hang');
    const { send, waits } = sender();
    expect(await send(await known(), push)).toEqual({ outcome: 'failed', restsUntil: 0 });
    expect(waits).toHaveLength(2);
    expect(world.service.calls()).toBe(3);
  });

  it('reads no more of an answer than it has use for', async () => {
    const server = createServer((_request, response) => {
      response.writeHead(201, { 'content-length': String(1024 * 1024) });
      response.write('x'.repeat(1024));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}/push`;
    expect((await sender().send({ ...(await known()), endpoint }, push)).outcome).toBe('failed');
    server.closeAllConnections();
    server.close();
  });
});

describe('other ways', () => {
  it('tell where nothing can ring: what it is, the code and where to decide, and nothing that decides', async () => {
    const request = await world.ask('bob');
    await told(1);
    const [notice] = world.told;
    expect(notice).toMatchObject({
      user: 'bob',
      title: 'Check your phone: Buy 5 AAPL · PAPER',
      approval: { id: request.id, code: 'K7QP', phone: 'https://home.example.net/phone' },
    });
    expect(notice?.body).toContain('https://home.example.net/phone');
    expect(notice?.body).toContain('K7QP');
    expect(JSON.stringify(notice)).not.toContain('auth-req');
    expect(notice?.body.match(/https:\S+/g)).toEqual(['https://home.example.net/phone']);
  });

  it('say nothing where a push got through', async () => {
    await world.ask();
    await expect.poll(() => world.service.received).toHaveLength(1);
    await expect.poll(() => world.clock.next()).toBeGreaterThan(50_000);
    expect(world.told).toEqual([]);
  });

  it('tell beside pushes where that was chosen, and no more than a lock screen may', async () => {
    await world.restart({ noticesWhen: 'always', content: 'short' });
    await world.ask();
    await told(1);
    await expect.poll(() => world.service.received).toHaveLength(1);
    expect(JSON.stringify(world.told)).not.toMatch(/AAPL|900/);
    expect(world.told[0]?.body).toContain('K7QP');
  });

  it('tell the same thing under the same name after a crash', async () => {
    await world.ask('bob');
    await told(1);
    await expect.poll(() => world.clock.next()).toBeGreaterThan(50_000);
    await world.restart();
    await expect.poll(() => world.clock.next()).toBeGreaterThan(50_000);
    expect(world.told).toHaveLength(1);
  });
});
