import * as client from 'openid-client';
import { describe, expect, it } from 'vitest';
import { createPhoneClient } from '../../../src/home/phone/phone-client.ts';
import { createHttpBrowser, FRAGMENT, ledTo, openLinkByHttp } from '../home/http-browser.ts';
import { ALL_SCOPES, details } from './identity-provider-fixture.ts';
import { approval, decide, travel, waiting, withProvider, world } from './provider-desk.ts';

withProvider();

const ask = async (parameters?: Record<string, string>) => {
  await approval.ask(details(), parameters);
  return waiting();
};

describe('the pairing secret', () => {
  const routes: [string, string][] = [
    ['GET', '/phone/api/requests?user=alice'],
    ['GET', '/phone/api/requests/x'],
    ['POST', '/phone/api/requests/x'],
    ['POST', '/phone/api/device'],
    ['POST', '/phone/api/tickets'],
    ['POST', '/phone/api/pairings'],
  ];
  for (const [method, path] of routes) {
    it(`is asked for by ${method} ${path}`, async () => {
      for (const authorization of ['', 'Bearer wrong', `Basic ${world.pairingSecret}`, 'Bearer ']) {
        const response = await fetch(world.issuer + path, { method, headers: { authorization } });
        expect(response.status, authorization).toBe(401);
        expect(response.headers.get('www-authenticate')).toContain('Bearer');
      }
    });
  }

  it('is named as what is wrong, and never repeated', async () => {
    const phone = createPhoneClient({ phone: world.issuer, pairingSecret: 'planted-secret' });
    const error = await phone.requests('alice').catch((cause: unknown) => cause);
    expect(error).toMatchObject({ code: 'invalid_config' });
    expect(`${error} ${JSON.stringify(error)}`).not.toContain('planted-secret');
  });
});

describe('waiting for a request', () => {
  it('answers as soon as there is one', async () => {
    const told = world.phone.requests('alice', { waitSeconds: 20 });
    const asked = details();
    await approval.ask(asked);
    const [request] = await told;
    expect(request).toMatchObject({ user: 'alice', details: asked, status: 'pending' });
    await world.phone.decide(request?.id ?? '', 'deny');
  });

  it('answers with nothing when the time is up', async () => {
    expect(await world.phone.requests('alice', { waitSeconds: 0.2 })).toEqual([]);
  });

  it('ends when it is told to', async () => {
    const stop = new AbortController();
    const told = world.phone.requests('alice', { waitSeconds: 20, signal: stop.signal });
    stop.abort();
    await expect(told).rejects.toMatchObject({ code: 'interrupted' });
  });

  it('tells of decided ones only when asked for all', async () => {
    const id = await ask();
    await decide();
    expect(await world.phone.requests('alice')).toEqual([]);
    expect((await world.phone.allRequests('alice'))[0]).toMatchObject({ id, status: 'approved' });
  });
});

describe('one request', () => {
  it('is waited for until it is decided, wherever that happens', async () => {
    const id = await ask();
    expect(await world.phone.request(id)).toMatchObject({ id, status: 'pending' });
    const told = world.phone.request(id, { waitSeconds: 20 });
    await world.phone.decide(id, 'deny');
    expect(await told).toMatchObject({ id, status: 'denied' });
  });

  it('is waited for no longer than it lives', async () => {
    // In whole seconds: of one second nearly nothing may be left.
    const id = await ask({ requested_expiry: '2' });
    expect(await world.phone.request(id, { waitSeconds: 20 })).toMatchObject({ status: 'expired' });
  });

  it('of a client that asks by itself says nothing that a proposal says', async () => {
    const id = await ask();
    const nothing = { kind: null, worst_case: null, requested_by: null, client: null, provenance: null };
    const empty = { ...nothing, warnings: [], shows: {}, outcome: null };
    expect(await world.phone.request(id)).toMatchObject(empty);
    await decide();
    const told = world.phone.request(id, { until: 'outcome', waitSeconds: 20 });
    expect(await told).toMatchObject({ status: 'approved', outcome: null });
  });

  it('is not found where there is none', async () => {
    await expect(world.phone.request('nothing')).rejects.toMatchObject({ code: 'not_found' });
  });
});

describe('errors', () => {
  it('name a user there is not', async () => {
    const { phone } = world;
    for (const call of [phone.requests('mallory'), phone.ticket('mallory'), phone.pairing('mallory')]) {
      await expect(call).rejects.toMatchObject({ code: 'not_found' });
    }
  });

  it('name a request there is not', async () => {
    await expect(world.phone.decide('nothing', 'approve')).rejects.toMatchObject({ code: 'not_found' });
  });

  it('say that the sandbox is not there', async () => {
    const nobody = createPhoneClient({ phone: 'http://127.0.0.1:1', pairingSecret: 'x' });
    await expect(nobody.requests('alice')).rejects.toMatchObject({ code: 'provider_unreachable' });
  });

  it('refuse a body that is not a decision', async () => {
    const response = await fetch(`${world.issuer}/phone/api/requests/x`, {
      method: 'POST',
      headers: { authorization: `Bearer ${world.pairingSecret}`, 'content-type': 'application/json' },
      body: '{"decision":"maybe"}',
    });
    expect(response.status).toBe(400);
  });
});

describe('completing a device sign-in', () => {
  const request = { scope: ALL_SCOPES, device_name: 'laptop' };
  const start = async () => client.initiateDeviceAuthorization(await world.loginClient(), request);

  it('says who was let in, and takes the code as people type it', async () => {
    const { user_code: code } = await start();
    const typed = code.toLowerCase().replace('-', ' ');
    expect(await world.phone.completeDevice('alice', typed)).toMatchObject({
      client_name: 'trade-agent',
      device_name: 'laptop',
      scopes: ALL_SCOPES.split(' '),
    });
  });

  it('refuses a code nobody waits with', async () => {
    for (const typed of ['BCDF-GHJK', '', '%', '--']) {
      const call = world.phone.completeDevice('alice', typed);
      await expect(call, typed).rejects.toMatchObject({ code: 'not_found' });
    }
  });

  it('refuses a code that was used, also at the same moment', async () => {
    const { user_code: code } = await start();
    const results = await Promise.allSettled([
      world.phone.completeDevice('alice', code),
      world.phone.completeDevice('bob', code),
    ]);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(world.phone.completeDevice('alice', code)).rejects.toMatchObject({ code: 'usage' });
  });

  it('refuses a code that has expired', async () => {
    const { user_code: code } = await start();
    travel(601_000);
    await expect(world.phone.completeDevice('alice', code)).rejects.toMatchObject({ code: 'login_expired' });
  });
});

describe('a one-time link', () => {
  it('signs a browser in once, to read and to deny', async () => {
    const { url } = await world.phone.ticket('alice');
    // Behind "#", which no browser sends: neither a log nor the next page is told of it.
    expect(url).toMatch(/^http:\/\/localhost:\d+\/phone\/link#[\w-]{43}$/);
    const browser = await openLinkByHttp(url);
    expect(await (await browser.visit('/phone')).text()).toContain('Alice Adams');
    const again = await openLinkByHttp(url);
    expect(ledTo(await again.visit('/phone'))).toMatch(/^\/signin/);
  });

  it('keeps its session from scripts, other sites and, with its key, from other ports', async () => {
    const { url } = await world.phone.ticket('alice');
    const browser = createHttpBrowser(world.issuer);
    const ticket = new URL(url).hash.slice(1);
    const answer = await browser.submit('/phone/link', '/phone/link', { ticket });
    const [cookie] = answer.headers.getSetCookie();
    expect(cookie).toMatch(/^trade_agent_session_\d+=/);
    expect(cookie).toMatch(/HttpOnly/);
    expect(cookie).toMatch(/SameSite=Lax/);
  });

  it('is not used up by whoever only opens it', async () => {
    const { url } = await world.phone.ticket('alice');
    for (const accept of ['text/html', FRAGMENT]) expect((await fetch(url, { headers: { accept } })).ok).toBe(true);
    await createHttpBrowser(world.issuer).visit('/phone/link');
    const browser = await openLinkByHttp(url);
    expect((await browser.visit('/phone')).status).toBe(200);
  });

  it('approves nothing', async () => {
    const id = await ask();
    const browser = await openLinkByHttp((await world.phone.ticket('alice')).url);
    const path = `/phone/requests/${id}`;
    expect((await browser.submit('/phone', path, { decision: 'approve' })).status).toBe(403);
    expect(await world.phone.request(id)).toMatchObject({ status: 'pending' });
    expect(ledTo(await browser.submit('/phone', path, { decision: 'deny' }))).toBe('/phone');
    expect(await world.phone.request(id)).toMatchObject({ status: 'denied' });
  });
});
