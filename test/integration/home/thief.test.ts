import type { RequestListener } from 'node:http';
import * as client from 'openid-client';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { launchChromium } from '../chromium.ts';
import {
  ALL_SCOPES,
  details,
  listen,
  registerApprovalClient,
  startIdentityProvider,
} from '../sandbox/identity-provider-fixture.ts';
import { createHttpBrowser, FRAGMENT, ledTo } from './http-browser.ts';
import { openPhoneBrowser } from './phone-browser.ts';

/*
 * Any program of this machine may listen on another port of localhost. Once the owner's browser opens it, it is sent the
 * cookies of every other port (RFC 6265 §8.5), whatever their attributes.
 */

let stolen = '';
const [world, browser] = await Promise.all([startIdentityProvider(), launchChromium()]);
const approval = await registerApprovalClient(world);
const page: RequestListener = (request, response) => {
  stolen = request.headers.cookie ?? stolen;
  response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>free money</title>');
};
const thief = await listen(page);
const phone = await openPhoneBrowser(browser);
await phone.pair((await world.phone.pairing('alice')).url);
const visit = await phone.context.newPage();
await visit.goto(thief.url);
afterAll(async () => {
  await browser.close();
  await thief.close();
  await world.close();
});
beforeEach(async () => {
  for (const { id } of await world.phone.requests('alice')) await world.phone.decide(id, 'deny');
});

const trick = { 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors', 'sec-fetch-dest': 'empty' };
const navigation = { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
const paths = ['/phone', '/phone/authenticators', '/phone/sessions', '/device', '/signin', '/phone/pair'];

/** As the thief asks: with the cookies, and whatever headers they like. */
const ask = (path: string, headers: Record<string, string>, body?: Record<string, string>) =>
  fetch(new URL(path, world.issuer), {
    redirect: 'manual',
    headers: { cookie: stolen, origin: world.issuer, ...headers },
    ...(body === undefined ? {} : { method: 'POST', body: new URLSearchParams(body) }),
  });

describe('a server on another port', () => {
  it('is sent the cookie of the session', () => {
    const { port } = new URL(world.issuer);
    expect(stolen).toMatch(new RegExp(`trade_agent_session_${port}=[\\w-]{43}`));
  });

  it.each(paths)('has nothing of %s with it, however it asks', async (path) => {
    await approval.ask(details({ symbol: 'NFLX' }));
    for (const headers of [{}, navigation, trick, { ...trick, accept: FRAGMENT }]) {
      const text = await (await ask(path, headers)).text();
      expect(text).not.toMatch(/NFLX|Alice|form_token/);
    }
  });

  it('is a stranger to a key of its own, and to one that is none', async () => {
    for (const key of [createHttpBrowser(world.issuer).key, '', 'x', 'A'.repeat(43), `${'A'.repeat(43)}, x`]) {
      const headers = { ...trick, accept: FRAGMENT, 'x-phone-key': key };
      const answer = await ask('/phone', headers);
      expect(await answer.text(), key).not.toMatch(/Alice|form_token/);
      expect(ledTo(answer) ?? '/signin', key).toMatch(/^\/signin/);
    }
  });

  it('hears no events', async () => {
    const unkeyed = await ask('/phone/events', { ...trick, accept: 'text/event-stream' });
    expect(unkeyed.headers.get('content-type')).not.toContain('event-stream');
    const { key } = createHttpBrowser(world.issuer);
    expect((await ask('/phone/events', { ...trick, 'x-phone-key': key })).status).toBe(401);
  });

  it('approves and denies nothing, with a form token of its own making or of its own session', async () => {
    await approval.ask(details());
    const [request] = await world.phone.requests('alice');
    const own = createHttpBrowser(world.issuer);
    const form_token = await own.formToken('/signin');
    expect(form_token).toMatch(/^[\w-]{43}$/);
    for (const decision of ['approve', 'deny']) {
      for (const headers of [{}, { 'x-phone-key': own.key }]) {
        const body = { decision, form_token };
        const answer = await ask(`/phone/requests/${request?.id}`, { ...trick, ...headers }, body);
        expect(ledTo(answer) ?? '/signin').toMatch(/^\/signin/);
        expect(await answer.text()).not.toContain('form_token" value');
      }
    }
    expect(await world.phone.request(request?.id ?? '')).toMatchObject({ status: 'pending' });
  });

  it('lets no device in', async () => {
    const device = await client.initiateDeviceAuthorization(await world.loginClient(), {
      scope: ALL_SCOPES,
      device_name: 'thief',
    });
    const own = createHttpBrowser(world.issuer);
    const form_token = await own.formToken('/device');
    const body = { user_code: device.user_code, decision: 'allow', form_token };
    for (const headers of [{}, { 'x-phone-key': own.key }]) {
      const answer = await ask('/device/confirm', { ...trick, ...headers }, body);
      expect(ledTo(answer) ?? '/signin').toMatch(/^\/signin/);
    }
    // Nobody has decided: the person's own phone still can.
    expect(await world.phone.completeDevice('alice', device.user_code)).toMatchObject({
      device_name: 'thief',
    });
  });

  it('adds no passkey, issues no recovery code, signs nobody out', async () => {
    const own = createHttpBrowser(world.issuer);
    const form_token = await own.formToken('/signin');
    const headers = { ...trick, 'x-phone-key': own.key };
    for (const path of [
      '/phone/authenticators/create-options',
      '/phone/authenticators/recovery',
      '/phone/sessions/end',
      '/signout',
    ]) {
      const text = await (await ask(path, headers, { form_token })).text();
      expect(text, path).not.toMatch(/challenge|recovery code/);
    }
    await phone.page.goto(`${world.issuer}/phone`);
    expect(await phone.page.getByTestId('signed-in-user').textContent()).toBe('Alice Adams');
  });

  it('can not fix a session of its own in the person’s browser', async () => {
    const own = createHttpBrowser(world.issuer);
    const ticket = new URL((await world.phone.ticket('bob')).url).hash.slice(1);
    await own.submit('/phone/link', '/phone/link', { ticket });
    const other = await openPhoneBrowser(browser);
    const [[name, value] = ['', '']] = [...own.jar];
    await other.context.addCookies([{ name, value, url: thief.url }]);
    await other.page.goto(`${world.issuer}/phone`);
    await other.page.getByTestId('sign-in').waitFor();
    expect(await other.page.getByTestId('signed-in-user').count()).toBe(0);
    await other.close();
  });
});

describe('a page of another port, in the person’s own browser', () => {
  const attempt = async (path: string, init: object) => {
    const page = await phone.context.newPage();
    await page.goto(thief.url);
    const said = await page.evaluate(
      `fetch(${JSON.stringify(world.issuer + path)}, ${JSON.stringify(init)})
        .then(async (answer) => answer.type === 'opaque' ? 'opaque' : answer.text(), (error) => error.name)`,
    );
    await page.close();
    return said;
  };

  it.each([
    ['reads nothing', { credentials: 'include' }, 'TypeError'],
    ['sees nothing of what it may load', { credentials: 'include', mode: 'no-cors' }, 'TypeError'],
    ['can not send a key', { credentials: 'include', headers: { 'x-phone-key': 'A'.repeat(43) } }, 'TypeError'],
  ])('%s', async (_, init, expected) => {
    expect(await attempt('/phone', init)).toBe(expected);
  });

  it('decides nothing by a form', async () => {
    await approval.ask(details());
    const [request] = await world.phone.requests('alice');
    const page = await phone.context.newPage();
    await page.goto(thief.url);
    await page.evaluate(`
      document.body.innerHTML = '<form method="post" action="${world.issuer}/phone/requests/${request?.id}"><input name="decision" value="deny"></form>';
      document.forms[0].submit()`);
    await page.waitForURL(`${world.issuer}/**`);
    expect(await page.locator('body').textContent()).toContain('Requests from other sites are not allowed');
    await page.close();
    expect(await world.phone.request(request?.id ?? '')).toMatchObject({ status: 'pending' });
  });

  it('can not put the page in a frame', async () => {
    const page = await phone.context.newPage();
    await page.goto(thief.url);
    const framed = await page.evaluate(`new Promise((resolve) => {
      const frame = document.createElement('iframe');
      frame.onload = () => { try { resolve(frame.contentDocument === null ? 'closed' : 'open'); } catch { resolve('closed'); } };
      frame.src = ${JSON.stringify(`${world.issuer}/phone`)};
      document.body.append(frame);
    })`);
    expect(framed).toBe('closed');
    const [, frame] = page.frames();
    expect(frame?.url()).toMatch(/^chrome-error:/);
    await page.close();
  });
});
