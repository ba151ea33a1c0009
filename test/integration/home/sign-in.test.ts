import * as client from 'openid-client';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { launchChromium } from '../chromium.ts';
import {
  ALL_SCOPES,
  details,
  registerApprovalClient,
  startIdentityProvider,
} from '../sandbox/identity-provider-fixture.ts';
import { challengeOf, createHttpBrowser, ledTo, openLinkByHttp, pairByHttp, signInByHttp } from './http-browser.ts';
import { openPhoneBrowser, type PhoneBrowser } from './phone-browser.ts';
import { MCP, MCP_SCOPES } from './public-client.ts';

/** A page is loaded again meanwhile. */
const patiently = { timeout: 10_000 };

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
const json = { accept: 'application/json' };

describe('signing in by passkey', () => {
  const signOut = async () => {
    await phone.signOut();
    await phone.page.getByTestId('sign-in').waitFor();
  };

  it('asks for no name, and leads to where one wanted to go', async () => {
    await phone.pair(await link('bob'));
    await signOut();
    await phone.page.goto(`${world.issuer}/phone/sessions`);
    await phone.page.getByTestId('sign-in').waitFor();
    await phone.signIn();
    await phone.page.getByTestId('this-browser').waitFor();
    expect(await phone.page.getByTestId('signed-in-user').textContent()).toBe('Bob Brown');
    expect(await world.keys.list('bob')).toMatchObject([{ lastUsedAt: expect.any(Number) }]);
  });

  it('is refused to a person who does not unlock theirs, and open again when they do', async () => {
    await phone.pair(await link());
    await signOut();
    await phone.authenticator.unlock(false);
    await phone.page.getByTestId('sign-in').tap();
    expect(await phone.page.getByTestId('problem').textContent()).toMatch(/Not completed/);
    await phone.authenticator.unlock(true);
    await phone.signIn();
  });

  it('is refused where the browser did not verify the person, whatever the authenticator says', async () => {
    const { authenticator } = await pairByHttp(await link());
    const stranger = createHttpBrowser(world.issuer);
    const options = await stranger.submit('/signin', '/signin/options', {}, json);
    const assertion = JSON.stringify(authenticator.assert(await challengeOf(options), { uv: false }));
    const answer = await stranger.submit('/signin', '/signin/passkey', { assertion });
    expect(answer.status).toBe(401);
    expect(answer.headers.getSetCookie()).toEqual([]);
  });

  it('takes each answer once, and none to a question of another kind', async () => {
    const { authenticator, browser: owner } = await pairByHttp(await link());
    const own = createHttpBrowser(world.issuer);
    const options = await own.submit('/signin', '/signin/options', {}, json);
    const assertion = JSON.stringify(authenticator.assert(await challengeOf(options)));
    expect(ledTo(await own.submit('/signin', '/signin/passkey', { assertion }))).toBe('/phone');
    const thief = createHttpBrowser(world.issuer);
    expect((await thief.submit('/signin', '/signin/passkey', { assertion })).status).toBe(401);
    const page = '/phone/authenticators';
    const other = await owner.submit(page, `${page}/remove-options`, { id: authenticator.credentialId }, json);
    const forRemoval = JSON.stringify(authenticator.assert(await challengeOf(other)));
    expect((await thief.submit('/signin', '/signin/passkey', { assertion: forRemoval })).status).toBe(401);
  });

  it('says so where no passkey of this home answers', async () => {
    await phone.page.goto(`${world.issuer}/signin`);
    await phone.page.getByTestId('sign-in').tap();
    expect(await phone.page.getByTestId('problem').textContent()).toMatch(/no passkey for this home/);
    const stranger = createHttpBrowser(world.issuer);
    for (const assertion of ['', '{', '{}', '[]', '{"id":"x"}']) {
      expect((await stranger.submit('/signin', '/signin/passkey', { assertion })).status).toBe(400);
    }
    expect(world.problems).toEqual([]);
  });

  it('asks for no password anywhere', async () => {
    await phone.page.goto(`${world.issuer}/signin`);
    await phone.page.getByTestId('sign-in').waitFor();
    expect(await phone.page.locator('input[type=password]').count()).toBe(0);
    expect(await phone.page.locator('body').textContent()).not.toMatch(/password/i);
  });
});

describe('a session', () => {
  it('ends eight hours after the sign-in', async () => {
    const { browser: own } = await pairByHttp(await link());
    const start = Date.now();
    const quarters = 8 * 4;
    for (let quarter = 1; quarter < quarters; quarter++) {
      vi.useFakeTimers({ toFake: ['Date'], now: start + quarter * 15 * 60_000 });
      expect((await own.visit('/phone')).status).toBe(200);
    }
    vi.useFakeTimers({ toFake: ['Date'], now: start + quarters * 15 * 60_000 + 1_000 });
    expect(ledTo(await own.visit('/phone'))).toMatch(/^\/signin/);
  });

  it('ends after half an hour in which nobody does anything, whatever its page asks by itself', async () => {
    const { browser: own } = await pairByHttp(await link());
    const start = Date.now();
    for (const minute of [10, 20, 29]) {
      vi.useFakeTimers({ toFake: ['Date'], now: start + minute * 60_000 });
      const stream = await own.visit('/phone/events', { headers: { accept: 'text/event-stream' } });
      expect(stream.status).toBe(200);
      await stream.body?.cancel();
      expect((await own.submit('/phone?again', '/phone/requests/none/seen')).status).toBe(404);
      expect((await own.submit('/phone?again', '/phone/push/subscriptions/remove')).status).toBe(404);
    }
    vi.useFakeTimers({ toFake: ['Date'], now: start + 30 * 60_000 + 1_000 });
    expect((await own.visit('/phone/events', { headers: { accept: 'text/event-stream' } })).status).toBe(401);
    expect(ledTo(await own.visit('/phone'))).toMatch(/^\/signin/);
  });

  it('that is idle ends the stream that its page holds open', async () => {
    const { browser: own } = await pairByHttp(await link('bob'));
    const stream = await own.visit('/phone/events', { headers: { accept: 'text/event-stream' } });
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 31 * 60_000 });
    expect(await stream.text()).toContain('event: signed_out');
  }, 30_000);

  it('gives way to the next sign-in on the same browser', async () => {
    const { browser: own, authenticator } = await pairByHttp(await link('bob'));
    const earlier = new Map(own.jar);
    const options = await own.submit('/signin', '/signin/options', {}, json);
    const assertion = JSON.stringify(authenticator.assert(await challengeOf(options)));
    expect(ledTo(await own.submit('/signin', '/signin/passkey', { assertion }))).toBe('/phone');
    expect((await own.visit('/phone')).status).toBe(200);
    const thief = createHttpBrowser(world.issuer, own.key);
    for (const [name, value] of earlier) thief.jar.set(name, value);
    expect(ledTo(await thief.visit('/phone'))).toMatch(/^\/signin/);
  });

  it('ends all others at once, and stays', async () => {
    const { browser: own, authenticator } = await pairByHttp(await link('bob'));
    const others = [await signInByHttp(world.issuer, authenticator), await signInByHttp(world.issuer, authenticator)];
    const { browser: alices } = await pairByHttp(await link());
    expect(ledTo(await own.submit('/phone/sessions', '/phone/sessions/end-others'))).toBe('/phone/sessions');
    for (const other of others) expect(ledTo(await other.visit('/phone'))).toMatch(/^\/signin/);
    for (const still of [own, alices]) expect((await still.visit('/phone')).status).toBe(200);
  });

  it('leaves nothing in the browser at sign-out', async () => {
    const { browser: own } = await pairByHttp(await link('bob'));
    const answer = await own.submit('/phone', '/signout');
    expect(ledTo(answer)).toBe('/signin');
    expect(answer.headers.get('clear-site-data')).toBe('"storage"');
    expect([...own.jar.keys()].filter((name) => name.includes('session'))).toEqual([]);
  });

  it('outlives a restart of the home, and not the person', async () => {
    const { browser: own } = await pairByHttp(await link('bob'));
    await world.restart();
    expect((await own.visit('/phone')).status).toBe(200);
    world.database().prepare(`UPDATE people SET removed_at = 1 WHERE username = 'bob'`).run();
    expect(ledTo(await own.visit('/phone'))).toMatch(/^\/signin/);
    world.database().prepare(`UPDATE people SET removed_at = NULL WHERE username = 'bob'`).run();
  });

  it('is listed, by browser and how it was opened, and is ended from another', async () => {
    const { authenticator } = await pairByHttp(await link());
    await phone.pair(await link());
    const other = await signInByHttp(world.issuer, authenticator);
    await openLinkByHttp((await world.phone.ticket('alice')).url);
    await phone.openSetting('Sessions');
    await phone.page.getByTestId('session').first().waitFor();
    const mine = phone.page.getByTestId('session').filter({ has: phone.page.getByTestId('this-browser') });
    expect(await mine.textContent()).toMatch(/Chrome on Linux[\s\S]*with a passkey/);
    // In the phone's own zone; as the server wrote it in the title.
    await expect.poll(() => mine.locator('time').first().getAttribute('title')).toMatch(/^20\d\d-.* UTC$/);
    const listed = await phone.page.getByTestId('session').allTextContents();
    expect(listed.some((line) => line.includes('with a link'))).toBe(true);
    const others = phone.page.getByTestId('session').filter({ hasNot: phone.page.getByTestId('this-browser') });
    while ((await others.count()) > 0) {
      const before = await others.count();
      await others.first().getByTestId('end-session').tap();
      await expect.poll(() => others.count(), patiently).toBeLessThan(before);
      // The page is loaded again, and has none meanwhile.
      await mine.waitFor();
    }
    expect(ledTo(await other.visit('/phone'))).toMatch(/^\/signin/);
    expect(await phone.page.getByTestId('signed-in-user').textContent()).toBe('Alice Adams');
  });

  it('keeps its page in touch with a home that was restarted', async () => {
    const approval = await registerApprovalClient(world);
    await phone.pair(await link());
    await phone.page.getByText('Connected', { exact: true }).waitFor();
    await world.restart();
    await approval.ask(details());
    await phone.page.getByTestId('request').waitFor();
    for (const { id } of await world.phone.requests('alice')) await world.phone.decide(id, 'deny');
  });

  it('of somebody else is ended by nobody', async () => {
    const { browser: alices } = await pairByHttp(await link('alice'));
    const { browser: bobs } = await pairByHttp(await link('bob'));
    const page = await (await bobs.visit('/phone/sessions')).text();
    const id = /name="id" value="([^"]+)"/.exec(page)?.[1] ?? '';
    expect(id).toMatch(/^[\w-]{43}$/);
    await alices.submit('/phone/sessions', '/phone/sessions/end', { id });
    expect((await bobs.visit('/phone')).status).toBe(200);
  });

  it('is kept as digests alone', async () => {
    const { browser: own } = await pairByHttp(await link());
    const [[, secret] = []] = [...own.jar];
    const dump = JSON.stringify(world.database().prepare('SELECT * FROM browser_sessions').all());
    expect(secret).toMatch(/^[\w-]{43}$/);
    expect(dump).not.toContain(secret);
    expect(dump).not.toContain(own.key);
  });
});

describe('letting a device in', () => {
  const start = async (wanted: Record<string, string> = { scope: ALL_SCOPES }) => {
    const config = await world.loginClient();
    const dpop = { DPoP: client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256')) };
    const device = await client.initiateDeviceAuthorization(config, wanted);
    const tokens = () => client.pollDeviceAuthorizationGrant(config, { ...device, interval: 0 }, undefined, dpop);
    return { code: device.user_code, page: `/device/confirm?user_code=${device.user_code}`, tokens };
  };
  const claims = (token = '') => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString());

  it('takes a passkey, and the device is told of what kind and when', async () => {
    const { browser: own } = await pairByHttp(await link());
    const openedAt = Math.floor(Date.now() / 1000);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 60_000 });
    const { code, page, tokens } = await start();
    await own.submit(page, '/device/confirm', { user_code: code, decision: 'allow' });
    const said = claims((await tokens()).id_token);
    expect(said.amr).toEqual(['hwk', 'user', 'mfa']);
    // When they signed in, not when they tapped.
    expect(Math.abs(said.auth_time - openedAt)).toBeLessThanOrEqual(2);
  });

  it('says so where it is for /mcp, and gives it nothing else', async () => {
    const { browser: own } = await pairByHttp(await link());
    const text = async (page: string) => (await own.visit(page)).text();
    expect(await text((await start()).page)).not.toContain('data-testid="mcp-note"');
    const { code, page, tokens } = await start({ scope: MCP_SCOPES, resource: MCP });
    expect(await text(page)).toContain('data-testid="mcp-note"');
    await own.submit(page, '/device/confirm', { user_code: code, decision: 'allow' });
    expect(claims((await tokens()).access_token)).toMatchObject({ aud: MCP, scope: MCP_SCOPES });
  });

  it('says of a terminal phone that its key is software', async () => {
    const { code, tokens } = await start();
    await world.phone.completeDevice('alice', code);
    expect(claims((await tokens()).id_token).amr).toEqual(['swk']);
  });

  it('is not for one who is in by a link, who can only refuse', async () => {
    const { code, page, tokens } = await start();
    const own = await openLinkByHttp((await world.phone.ticket('alice')).url);
    expect(await (await own.visit(page)).text()).not.toContain('data-testid="allow"');
    const allowed = await own.submit(page, '/device/confirm', { user_code: code, decision: 'allow' });
    expect(allowed.status).toBe(403);
    expect(await (await own.visit(page)).text()).toContain('data-testid="refuse"');
    await own.submit(page, '/device/confirm', { user_code: code, decision: 'refuse' });
    await expect(tokens()).rejects.toMatchObject({ error: 'access_denied' });
  });
});

it('a refusal of the front door says in which letters it is', async () => {
  for (const [path, method] of [
    ['/nothing', 'GET'],
    ['/token', 'DELETE'],
  ] as const) {
    const answer = await fetch(`${world.issuer}${path}`, { method });
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
  }
});
