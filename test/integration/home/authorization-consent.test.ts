import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { decodeJwt } from 'jose';
import type { Browser } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { launchChromium } from '../chromium.ts';
import { startIdentityProvider } from '../sandbox/identity-provider-fixture.ts';
import {
  createHttpBrowser,
  type HttpBrowser,
  issueRecoveryCode,
  ledTo,
  openLinkByHttp,
  pairByHttp,
} from './http-browser.ts';
import { openPhoneBrowser, type PhoneBrowser } from './phone-browser.ts';
import { ask, decide, MCP, publicClient, register } from './public-client.ts';

const world = await startIdentityProvider();
const alice = (await pairByHttp((await world.phone.pairing('alice')).url)).browser;
const clientId = (await register(world.issuer)).body.client_id;
afterAll(() => world.close());
afterEach(() => {
  vi.useRealTimers();
});

const pathOf = ({ pathname, search }: URL) => pathname + search;
const newProgram = () => publicClient(world, clientId);
const textOf = async (browser: HttpBrowser, page: string) => (await browser.visit(page)).text();
/** Of somebody who is signed in, the rest is as they are: what they know of the page that another browser was sent to. */
const withCookiesOf = (browser: HttpBrowser, other: HttpBrowser) => {
  for (const [name, value] of other.jar) if (name.startsWith('_')) browser.jar.set(name, value);
};

describe('the page', () => {
  it('says who asks, that nobody knows them, who is answered, and for what', async () => {
    const page = await textOf(alice, await ask(alice, (await newProgram()).url()));
    for (const text of [
      'Some Agent',
      'You have not allowed it before.',
      'Nobody has verified its name',
      'http://127.0.0.1:9123/callback',
      'Continue only if you started this yourself.',
      'Your decision goes to an app on this device.',
      'See market prices',
      'Ask you to approve orders',
      'It can propose orders. Each one comes to this phone',
    ]) {
      expect(page).toContain(text);
    }
  });

  it('warns of this device only where it is answered there', async () => {
    const { body } = await register(world.issuer, { redirect_uris: ['https://agent.example/callback'] });
    const { url } = await publicClient(world, body.client_id);
    const page = await textOf(alice, await ask(alice, url({ redirect_uri: 'https://agent.example/callback' })));
    expect(page).not.toContain('an app on this device');
    expect(page).toContain('>agent.example<');
  });

  it.each([
    ['cursor://anysphere.cursor-retrieval/oauth/callback', 'cursor:'],
    ['com.example.agent:/callback', 'com.example.agent:'],
  ])('says plainly that an app is answered, and lets it in by PKCE: %s', async (redirect_uri, scheme) => {
    const { status, body } = await register(world.issuer, { redirect_uris: [redirect_uri] });
    expect(status).toBe(201);
    const program = await publicClient(world, body.client_id);
    const path = await ask(alice, program.url({ redirect_uri }));
    const page = await alice.visit(path);
    expect(page.headers.get('content-security-policy')).toContain(`form-action 'self' ${scheme};`);
    const text = await page.text();
    expect(text).toContain(`data-testid="redirect-host">${scheme}</strong>`);
    expect(text).toContain(`the one that opens <span class="mono">${scheme}</span> addresses`);
    const callback = await decide(alice, path, 'allow');
    expect(callback.startsWith(`${redirect_uri}?`)).toBe(true);
    const tokens = await program.redeem(callback, { redirect_uri });
    expect(decodeJwt(tokens.access_token)).toMatchObject({ client_name: `Some Agent (${scheme})` });
  });

  it('never leads an app to another of its addresses, nor without PKCE', async () => {
    const redirect_uri = 'cursor://anysphere.cursor-retrieval/oauth/callback';
    const { body } = await register(world.issuer, { redirect_uris: [redirect_uri] });
    const { url } = await publicClient(world, body.client_id);
    const elsewhere = await alice.visit(pathOf(url({ redirect_uri: 'cursor://anysphere.cursor-retrieval/other' })));
    expect(await elsewhere.text()).toContain('redirect_uri did not match');
    const plain = await alice.visit(pathOf(url({ redirect_uri, code_challenge: '', code_challenge_method: '' })));
    expect(plain.headers.get('location')).toContain('error=invalid_request');
  });

  it('shows a name as text, on one line, and cut', async () => {
    const client_name = `<b>Evil</b>\u202e\u0007\n${'x'.repeat(200)}`;
    const { body } = await register(world.issuer, { client_name });
    const page = await textOf(alice, await ask(alice, (await publicClient(world, body.client_id)).url()));
    const shown = /data-testid="client-name">([^<]*)</.exec(page)?.[1] ?? '';
    expect(shown).toMatch(/^&lt;b&gt;Evil&lt;\/b&gt; x+…$/);
    expect(shown.length).toBeLessThan(90);
  });

  it('says where it was allowed before, and asks all the same', async () => {
    const { body } = await register(world.issuer);
    const { url } = await publicClient(world, body.client_id);
    await decide(alice, await ask(alice, url()), 'allow');
    expect(await textOf(alice, await ask(alice, url()))).toContain('You have allowed it before.');
  });
});

describe('nobody lets a program in', () => {
  it('without a sign-in, which leads back to the page', async () => {
    const stranger = createHttpBrowser(world.issuer);
    const page = await ask(stranger, (await newProgram()).url());
    const signIn = ledTo(await stranger.visit(page)) ?? '';
    expect(signIn).toBe(`/signin?next=${encodeURIComponent(page)}`);
    expect(await textOf(stranger, signIn)).toContain(`name="next" value="${page}"`);
    expect(ledTo(await stranger.submit('/signin', page, { decision: 'allow' }))).toBe(signIn);
  });

  it('signed in by a link, or by a recovery code, who can only deny', async () => {
    const byLink = await openLinkByHttp((await world.phone.ticket('alice')).url);
    const code = await issueRecoveryCode(alice);
    const recovered = createHttpBrowser(world.issuer);
    await recovered.submit('/signin', '/signin/recovery', { username: 'alice', code });
    for (const browser of [byLink, recovered]) {
      const page = await ask(browser, (await newProgram()).url());
      const shown = await textOf(browser, page);
      expect(shown).not.toContain('data-testid="allow"');
      expect(shown).toContain('data-testid="passkey-sign-in"');
      expect((await browser.submit(page, page, { decision: 'allow' })).status).toBe(403);
      expect(await decide(browser, page, 'deny')).toContain('error=access_denied');
    }
  });

  it('in another browser than the one that the program sent here', async () => {
    const page = await ask(alice, (await newProgram()).url());
    const bob = (await pairByHttp((await world.phone.pairing('bob')).url)).browser;
    expect((await bob.visit(page)).status).toBe(410);
    expect((await bob.submit('/phone', page, { decision: 'allow' })).status).toBe(410);
    // Nor by the cookie of another request of theirs.
    await ask(bob, (await newProgram()).url());
    expect((await bob.submit('/phone', page, { decision: 'allow' })).status).toBe(410);
    expect(await decide(alice, page, 'allow')).toContain('code=');
  });

  it('for anybody but themselves', async () => {
    const program = await newProgram();
    const page = await ask(alice, program.url());
    const bob = (await pairByHttp((await world.phone.pairing('bob')).url)).browser;
    withCookiesOf(bob, alice);
    const tokens = await program.redeem(await decide(bob, page, 'allow'));
    expect(decodeJwt(tokens.access_token).sub).toBe('bob');
  });

  it.each<[string, Record<string, string>, Record<string, string>]>([
    ['without the form’s token', { form_token: '' }, {}],
    ['with another browser’s token', { form_token: 'x'.repeat(43) }, {}],
    ['from another site', {}, { 'sec-fetch-site': 'cross-site' }],
    ['from another port of this machine', {}, { 'sec-fetch-site': 'same-site' }],
    ['from another origin', {}, { origin: 'https://elsewhere.example' }],
    ['without this origin’s key', {}, { 'x-phone-key': '' }],
  ])('by a form %s', async (_, form, headers) => {
    const page = await ask(alice, (await newProgram()).url());
    const forged = await alice.submit(page, page, { decision: 'allow', ...form }, headers);
    expect(forged.status).toBe(403);
    expect(await textOf(alice, page)).toContain('data-testid="consent"');
  });

  it('by opening the page, or by a form that decides nothing', async () => {
    const page = await ask(alice, (await newProgram()).url());
    await alice.visit(page);
    expect(ledTo(await alice.submit(page, page, { decision: 'maybe' }))).toBe(page);
    expect(await textOf(alice, page)).toContain('data-testid="consent"');
  });

  it('twice: what was decided stays, and is answered once', async () => {
    const page = await ask(alice, (await newProgram()).url());
    const form_token = await alice.formToken(page);
    const [first, second] = await Promise.all([
      alice.post(page, { form_token, decision: 'deny' }),
      alice.post(page, { form_token, decision: 'allow' }),
    ]);
    const back = ledTo(first) ?? ledTo(second) ?? '';
    const answers = [await alice.visit(back), await alice.visit(back)];
    expect(answers.map(({ status }) => status)).toEqual([303, 400]);
  });

  it('after ten minutes', async () => {
    const page = await ask(alice, (await newProgram()).url());
    const form_token = await alice.formToken(page);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 601_000 });
    expect((await alice.post(page, { form_token, decision: 'allow' })).status).toBe(410);
  });
});

describe('in a browser', () => {
  let chromium: Browser;
  let phone: PhoneBrowser;
  let program: Server;
  let callback: string;
  let heard: (url: string) => void = () => {};
  beforeAll(async () => {
    chromium = await launchChromium();
    phone = await openPhoneBrowser(chromium);
    await phone.pair((await world.phone.pairing('alice')).url);
    program = createServer((request, response) => {
      if (request.url?.startsWith('/callback')) heard(`http://127.0.0.1${request.url}`);
      response.end('back in the program');
    });
    await new Promise<void>((listening) => program.listen(0, '127.0.0.1', listening));
    callback = `http://127.0.0.1:${(program.address() as AddressInfo).port}/callback`;
  });
  afterAll(async () => {
    await chromium?.close();
    program?.close();
  });

  it('signed out, a person signs in with the passkey, allows, and is back in the program', async () => {
    // The phone's own page would go to the sign-in page by itself.
    await phone.page.goto('about:blank');
    await phone.context.clearCookies();
    const some = await newProgram();
    const called = new Promise<string>((resolve) => {
      heard = resolve;
    });
    await phone.page.goto(some.url({ redirect_uri: callback }).href);
    await phone.signIn();
    await phone.page.getByTestId('consent').waitFor();
    expect(await phone.page.getByTestId('redirect').textContent()).toBe(callback);
    await phone.page.getByTestId('allow').tap();
    await phone.page.waitForURL(`${callback}**`);
    const tokens = await some.redeem((await called).replace('127.0.0.1/', `${new URL(callback).host}/`));
    expect(decodeJwt(tokens.access_token)).toMatchObject({ sub: 'alice', aud: MCP });
    expect(phone.complaints).toEqual([]);
  });

  it('denies', async () => {
    await phone.page.goto((await newProgram()).url({ redirect_uri: callback }).href);
    await phone.page.getByTestId('deny').tap();
    await phone.page.waitForURL(`${callback}?error=access_denied**`);
  });
});
