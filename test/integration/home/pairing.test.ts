import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createAuthenticator } from '../../unit/approval/signature/authenticator.ts';
import { launchChromium } from '../chromium.ts';
import { startIdentityProvider } from '../sandbox/identity-provider-fixture.ts';
import { challengeOf, createHttpBrowser, FRAGMENT, pairByHttp } from './http-browser.ts';
import { openPhoneBrowser, type PhoneBrowser } from './phone-browser.ts';

let phone: PhoneBrowser;
const [world, browser] = await Promise.all([startIdentityProvider(), launchChromium()]);
afterAll(async () => {
  await browser.close();
  await world.close();
});
beforeEach(async () => {
  phone = await openPhoneBrowser(browser);
});
afterEach(async () => {
  vi.useRealTimers();
  await phone.close();
});

const link = async (user = 'alice') => (await world.phone.pairing(user)).url;
const text = async (id: string) => (await phone.page.getByTestId(id).first().textContent())?.trim();
const keysOf = async (user: string) => (await world.keys.list(user)).map(({ name }) => name);

describe('a pairing link', () => {
  it('says whose home and whose money it is, makes a passkey, and signs in', async () => {
    const url = await link();
    await phone.page.goto(url);
    expect(await text('person')).toBe('Alice Adams');
    expect(await text('home-name')).toBe('Sandbox');
    expect(await text('environment')).toContain('PAPER');
    expect(await text('without-passkeys')).toContain('trade-agent phone');
    await phone.page.getByTestId('passkey-name').fill('my old phone');
    await phone.page.getByTestId('set-up').tap();
    await phone.page.getByTestId('empty').waitFor();
    expect(await text('signed-in-user')).toBe('Alice Adams');
    expect(await phone.authenticator.credentials()).toHaveLength(1);
    expect(await world.keys.list('alice')).toMatchObject([
      { name: 'my old phone', method: 'webauthn', deviceType: 'singleDevice' },
    ]);
    // Not in the address that is left.
    expect(phone.page.url()).toBe(`${world.issuer}/phone`);
  });

  it('tells its secret in no address that is asked for, and no next page of it', async () => {
    const url = await link('bob');
    const asked: string[] = [];
    phone.page.on('request', (request) =>
      asked.push(`${request.method()} ${request.url()} ${request.headers().referer ?? ''}`),
    );
    await phone.pair(url);
    expect(asked.some((line) => line.startsWith('POST'))).toBe(true);
    const secret = new URL(url).hash.slice(1);
    // Playwright shows the fragment of the document that it was told to open; a request line has none (RFC 9110 §7.1).
    expect(asked.filter((line) => line.includes(secret) && !line.startsWith(`GET ${url}`))).toEqual([]);
  });

  it('is used up by neither being opened twice nor being fetched ahead of time', async () => {
    const url = await link('bob');
    for (const accept of ['text/html', FRAGMENT]) await fetch(url, { headers: { accept, 'sec-purpose': 'prefetch' } });
    for (let i = 0; i < 2; i++) {
      await phone.page.goto('about:blank');
      await phone.page.goto(url);
      expect(await text('person')).toBe('Bob Brown');
    }
    await phone.pair(url);
  });

  it('sets up one phone: the second is told so, and what to do', async () => {
    const url = await link();
    await pairByHttp(url);
    const before = await keysOf('alice');
    await phone.page.goto(url);
    expect(await text('message')).toBe('This link no longer works');
    expect(await phone.page.locator('main').textContent()).toContain('trade-agent phone link');
    await expect(pairByHttp(url)).rejects.toThrow('no options: 410');
    expect(await keysOf('alice')).toEqual(before);
  });

  it('is the first’s of two who are at it at once', async () => {
    const url = await link();
    const before = await keysOf('alice');
    const outcomes = await Promise.allSettled([pairByHttp(url), pairByHttp(url)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await keysOf('alice')).toHaveLength(before.length + 1);
  });

  it('ends after ten minutes, also for a page that was opened before', async () => {
    const url = await link();
    await phone.page.goto(url);
    await phone.page.getByTestId('set-up').waitFor();
    const before = await keysOf('alice');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 601_000 });
    await phone.page.getByTestId('set-up').tap();
    await phone.page.getByTestId('problem').waitFor();
    expect(await keysOf('alice')).toEqual(before);
    await phone.page.reload();
    expect(await text('message')).toBe('This link no longer works');
  });

  it('ends with a newer one for the same person', async () => {
    const [older, other, newer] = [await link('alice'), await link('bob'), await link('alice')];
    await phone.page.goto(older);
    expect(await text('message')).toBe('This link no longer works');
    for (const url of [newer, other]) await pairByHttp(url);
  });

  it('makes no passkey for a person who does not unlock theirs', async () => {
    const locked = await openPhoneBrowser(browser, { authenticator: 'unverified' });
    const before = await keysOf('alice');
    const url = await link();
    await locked.page.goto(url);
    await locked.page.getByTestId('set-up').tap();
    expect(await locked.page.getByTestId('problem').textContent()).toMatch(/Not completed/);
    await locked.close();
    // Nor for a browser that says it did not ask them.
    const origin = world.issuer;
    const device = createAuthenticator('ES256', { origin, rpId: 'localhost' });
    const stranger = createHttpBrowser(origin);
    const secret = new URL(url).hash.slice(1);
    const json = { accept: 'application/json' };
    const options = await stranger.submit('/phone/pair', '/phone/pair/options', { secret }, json);
    const registration = JSON.stringify(device.register(await challengeOf(options), { uv: false }));
    const answer = await stranger.submit('/phone/pair', '/phone/pair/enrol', { secret, registration });
    expect(answer.status).toBe(403);
    expect(await keysOf('alice')).toEqual(before);
    // It was not used up by that.
    await phone.pair(url);
  });

  it('enrols nothing that is no passkey, and stays open', async () => {
    const url = await link();
    const secret = new URL(url).hash.slice(1);
    const stranger = createHttpBrowser(world.issuer);
    for (const registration of ['', '{', '{}', 'null', '[]', '{"id":"x","response":{}}']) {
      const answer = await stranger.submit('/phone/pair', '/phone/pair/enrol', { secret, registration });
      expect(answer.status, registration).toBe(400);
    }
    await phone.pair(url);
  });

  it('with no secret, or a made-up one, sets nothing up', async () => {
    for (const hash of ['', '#', `#${'A'.repeat(43)}`]) {
      await phone.page.goto('about:blank');
      await phone.page.goto(`${world.issuer}/phone/pair${hash}`);
      expect(await text('message'), hash).toBe('This link no longer works');
    }
  });

  it('at a home with real money says so', async () => {
    const live = await startIdentityProvider({
      about: { name: 'Ann’s home', environment: 'live', simulated: false },
    });
    await phone.page.goto((await live.phone.pairing('alice')).url);
    expect(await text('environment')).toMatch(/LIVE[\s\S]*real money/);
    expect(await text('home-name')).toBe('Ann’s home');
    expect(await phone.page.title()).toBe('Set up this phone · trade-agent');
    expect(await phone.page.locator('body').textContent()).not.toMatch(/sandbox/i);
    await live.close();
  });

  it('is needed, or a session, to learn whose home it is', async () => {
    const home = await startIdentityProvider({
      about: { name: 'Ann’s home', environment: 'live', simulated: false },
    });
    const stranger = createHttpBrowser(home.issuer);
    for (const path of ['/phone', '/signin', '/device', '/phone/pair', '/phone/sessions', '/phone/none']) {
      for (const visit of [fetch(home.issuer + path), stranger.visit(path)]) {
        expect(await (await visit).text(), path).not.toContain('Ann');
      }
    }
    const { browser } = await pairByHttp((await home.phone.pairing('alice')).url);
    expect(await (await browser.visit('/phone')).text()).toContain('Ann’s home');
    await home.close();
  });
});
