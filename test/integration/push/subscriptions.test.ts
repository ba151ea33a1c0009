import { afterAll, describe, expect, it } from 'vitest';
import { isPushEndpoint } from '../../../src/home/phone/push/push-endpoint.ts';
import { pushSubscriptionSchema } from '../../../src/home/phone/push/push-subscriptions.ts';
import { openNotifierWorld } from './notifier-world.ts';

const world = await openNotifierWorld({ loopback: false });
afterAll(() => world.close());

const owner = (user: string, session = `${user}s-session`) => ({
  user,
  session,
  credential: `${user}s-key`,
  name: 'Safari on iPhone',
});
const browser = (name: string) => ({
  endpoint: `https://web.push.apple.com/${name}`,
  keys: world.service.subscribe(name).keys,
});

describe('a subscription', () => {
  it('is kept once, however often it is handed in', async () => {
    const { subscriptions } = world.push();
    const phone = browser('phone');
    expect(await subscriptions.add(owner('alice'), phone)).toBe('kept');
    expect(await subscriptions.add(owner('alice', 'a-later-session'), phone)).toBe('kept');
    expect(await subscriptions.of('alice')).toMatchObject([
      { endpoint: phone.endpoint, session: 'a-later-session', name: 'Safari on iPhone', failures: 0 },
    ]);
    await subscriptions.endSession('alices-session');
    expect(await subscriptions.of('alice')).toHaveLength(1);
    await subscriptions.endSession('a-later-session');
    expect(await subscriptions.of('alice')).toEqual([]);
  });

  it('moves to who signs in at that browser, and to nobody who only knows its address', async () => {
    const { subscriptions } = world.push();
    const shared = browser('shared');
    expect(await subscriptions.add(owner('alice'), shared)).toBe('kept');
    const forged = { ...shared, keys: world.service.subscribe('thief').keys };
    expect(await subscriptions.add(owner('mallory'), forged)).toBe('taken');
    expect(await subscriptions.of('alice')).toHaveLength(1);
    expect(await subscriptions.add(owner('bob'), shared)).toBe('kept');
    expect(await subscriptions.of('alice')).toEqual([]);
    expect(await subscriptions.remove(shared.endpoint, 'alice')).toBe(false);
    expect(await subscriptions.remove(shared.endpoint, 'bob')).toBe(true);
  });

  it('goes with its passkey', async () => {
    const { subscriptions } = world.push();
    await subscriptions.add(owner('dora'), browser('doras'));
    await subscriptions.endKey('dora', 'another');
    await subscriptions.endKey('erin', 'doras-key');
    expect(await subscriptions.of('dora')).toHaveLength(1);
    await subscriptions.endKey('dora', 'doras-key');
    expect(await subscriptions.of('dora')).toEqual([]);
  });

  it('is one of ten at most', async () => {
    const { subscriptions } = world.push();
    const all = Array.from({ length: 11 }, (_, index) => browser(`carol-${index}`));
    const added: string[] = [];
    for (const one of all) added.push(await subscriptions.add(owner('carol'), one));
    expect(added).toEqual([...Array(10).fill('kept'), 'too_many']);
    expect(await subscriptions.add(owner('carol'), all[3] ?? browser('x'))).toBe('kept');
  });

  it('has keys of the right form', () => {
    const { keys } = world.service.subscribe('form');
    const endpoint = 'https://push.example.com/x';
    const taken = (change: Partial<typeof keys>) =>
      pushSubscriptionSchema.safeParse({ endpoint, keys: { ...keys, ...change } }).success;
    expect(taken({})).toBe(true);
    for (const auth of ['', 'AAAA', '!'.repeat(22), 'A'.repeat(86)]) expect(taken({ auth }), auth).toBe(false);
    const compressed = Buffer.alloc(65, 2).toString('base64url');
    for (const p256dh of ['', compressed, keys.auth]) expect(taken({ p256dh }), p256dh).toBe(false);
  });
});

describe('an address', () => {
  it.each([
    'https://fcm.googleapis.com/fcm/send/abc',
    'https://updates.push.services.mozilla.com/wpush/v2/abc',
    'https://web.push.apple.com/abc',
    'https://[2a00:1450:4001::200e]/abc',
  ])('may be a push service’s: %s', (endpoint) => {
    expect(isPushEndpoint(endpoint)).toBe(true);
  });

  it.each([
    'http://push.example.com/abc',
    'https://user:pass@push.example.com/abc',
    'https://localhost/abc',
    'https://127.0.0.1:4747/v1/orders',
    'https://127.1/abc',
    'https://2130706433/abc',
    'https://0x7f.1/abc',
    'https://10.0.0.1/abc',
    'https://172.16.0.1/abc',
    'https://192.168.178.1/admin',
    'https://169.254.169.254/latest/meta-data',
    'https://100.100.100.100/abc',
    'https://0.0.0.0/abc',
    'https://224.0.0.1/abc',
    'https://[::1]/abc',
    'https://[::ffff:192.168.1.1]/abc',
    'https://[fd12::1]/abc',
    'https://[fe80::1]/abc',
    'https://[64:ff9b::a00:1]/abc',
    'https://[2002:a00:1::]/abc',
    'https://router/abc',
    'https://nas.local/abc',
    'https://nas.home.arpa/abc',
    'https://metadata.google.internal/abc',
    'https://printer.localhost./abc',
    'ftp://push.example.com/abc',
    'not an address',
    `https://push.example.com/${'x'.repeat(2100)}`,
  ])('may not: %s', async (endpoint) => {
    expect(isPushEndpoint(endpoint)).toBe(false);
    const subscription = { ...browser('inside'), endpoint };
    expect(await world.push().subscriptions.add(owner('mallory'), subscription)).toBe('invalid');
  });
});
