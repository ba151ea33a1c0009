import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PairedPhone } from '../../e2e/home-world.ts';
import {
  challengeOf,
  createHttpBrowser,
  type HttpBrowser,
  ledTo,
  pairByHttp,
  signInByHttp,
} from '../../integration/home/http-browser.ts';
import { type Authenticator, createAuthenticator } from '../../unit/approval/signature/authenticator.ts';
import type { Failpoint } from '../failpoints.ts';
import { createHomeThatDies, type HomeThatDies } from './home-that-dies.ts';

const PATH = '/phone/authenticators';
const json = { accept: 'application/json' };

let world: HomeThatDies;
beforeAll(async () => {
  world = await createHomeThatDies();
  await world.init();
  await world.serve();
});
afterAll(() => world.close());
beforeEach(async () => {
  // Nobody has a key: each case begins as after `home init`.
  await world.inside(async ({ keys, endKey }) => {
    for (const { credentialId } of await keys.list('alice')) {
      await keys.remove('machine', credentialId);
      await endKey('alice', credentialId);
    }
  });
});

const newDevice = () => createAuthenticator('ES256', { origin: world.address, rpId: 'localhost' });
const enrolled = () =>
  world.inside(async ({ keys }) => (await keys.list('alice')).map(({ credentialId }) => credentialId));
const link = async () => (await world.json<{ url: string }>('home', 'pair')).url;
const isOpen = (url: string) =>
  world.inside(async ({ keys }) => (await keys.pairing(new URL(url).hash.slice(1))) !== undefined);
const isSignedIn = async (browser: HttpBrowser) => ledTo(await browser.visit('/phone')) === null;
const recordHolds = async () =>
  expect((await world.cli('gateway', 'audit', 'verify', '--home', world.home)).code).toBe(0);

describe('a home killed while a phone is paired', () => {
  it.each<Failpoint>(['key.verified', 'key.written'])(
    'at %s: nothing is enrolled, and the link still works, once',
    async (at) => {
      const [url, device] = [await link(), newDevice()];
      await world.servedDies(at, () => pairByHttp(url, { authenticator: device }));
      expect([await isOpen(url), await enrolled()]).toEqual([true, []]);
      const { browser } = await pairByHttp(url, { authenticator: device });
      expect(await isSignedIn(browser)).toBe(true);
      expect([await isOpen(url), await enrolled()]).toEqual([false, [device.credentialId]]);
      await expect(pairByHttp(url)).rejects.toThrow('no options: 410');
      expect(await enrolled()).toEqual([device.credentialId]);
      await recordHolds();
    },
  );

  it.each<Failpoint>(['key.enrolled', 'session.opened'])(
    'at %s: the key is enrolled, the link is used up, and the phone signs in with it',
    async (at) => {
      const [url, device] = [await link(), newDevice()];
      await world.servedDies(at, () => pairByHttp(url, { authenticator: device }));
      expect([await isOpen(url), await enrolled()]).toEqual([false, [device.credentialId]]);
      await expect(pairByHttp(url)).rejects.toThrow('no options: 410');
      expect(await isSignedIn(await signInByHttp(world.address, device))).toBe(true);
      expect(await enrolled()).toEqual([device.credentialId]);
      await recordHolds();
    },
  );
});

describe('a home killed while', () => {
  let phone: PairedPhone;
  let second: Authenticator;
  beforeEach(async () => {
    phone = await pairByHttp(await link());
    second = newDevice();
  });
  const add = async () => {
    const { browser, authenticator } = phone;
    const create = await browser.submit(PATH, `${PATH}/create-options`, {}, json);
    const registration = JSON.stringify(second.register(await challengeOf(create)));
    const ask = await browser.submit(PATH, `${PATH}/add-options`, { registration }, json);
    const assertion = JSON.stringify(authenticator.assert(await challengeOf(ask)));
    return await browser.submit(PATH, `${PATH}/add`, { registration, assertion, name: 'Tablet' });
  };
  /** By the second, of the phone. */
  const remove = async (tablet: HttpBrowser) => {
    const id = phone.authenticator.credentialId;
    const ask = await tablet.submit(PATH, `${PATH}/remove-options`, { id }, json);
    const assertion = JSON.stringify(second.assert(await challengeOf(ask)));
    return await tablet.submit(PATH, `${PATH}/remove`, { id, assertion });
  };
  const both = () => [phone.authenticator.credentialId, second.credentialId];

  it.each<[Failpoint, boolean]>([
    ['key.verified', false],
    ['key.written', false],
    ['key.enrolled', true],
  ])(
    'another authenticator is added, at %s: it is enrolled or it is not, and can be added then',
    async (at, isKept) => {
      await world.servedDies(at, add);
      expect(await enrolled()).toEqual(isKept ? both() : both().slice(0, 1));
      // It was not signed in by that.
      expect(await isSignedIn(phone.browser)).toBe(true);
      expect((await add()).status).toBe(isKept ? 409 : 204);
      expect(await enrolled()).toEqual(both());
      expect(await isSignedIn(await signInByHttp(world.address, second))).toBe(true);
      await recordHolds();
    },
  );

  it('one is removed by another: it is removed, and lets nobody in who was signed in by it', async () => {
    await add();
    const tablet = await signInByHttp(world.address, second);
    await world.servedDies('key.removed', () => remove(tablet));
    expect(await enrolled()).toEqual([second.credentialId]);
    expect(await isSignedIn(phone.browser)).toBe(false);
    await expect(signInByHttp(world.address, phone.authenticator)).rejects.toThrow('not signed in');
    expect(await isSignedIn(tablet)).toBe(true);
    await recordHolds();
  });

  it('one is removed at its machine, the command killed: the same, while the home is served', async () => {
    await world.commandDies(
      'key.removed',
      ...['home', 'user', 'remove-authenticator', phone.authenticator.credentialId.replace(/^-+/, '')],
    );
    expect(await enrolled()).toEqual([]);
    expect(await isSignedIn(phone.browser)).toBe(false);
    await expect(signInByHttp(world.address, phone.authenticator)).rejects.toThrow('not signed in');
    // Of the line that it was to write, nothing is lost.
    await recordHolds();
  });

  it('it signs somebody in: they sign in again, and the same answer signs in no more', async () => {
    const { authenticator } = phone;
    await world.servedDies('session.opened', () => signInByHttp(world.address, authenticator));
    const used = authenticator.counter;
    expect(await isSignedIn(await signInByHttp(world.address, authenticator))).toBe(true);
    authenticator.counter = used - 1;
    await expect(signInByHttp(world.address, authenticator)).rejects.toThrow('not signed in');
    // Nor for a browser of no session.
    expect(await isSignedIn(createHttpBrowser(world.address))).toBe(false);
  });
});
