import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  type ApprovalClient,
  details,
  registerApprovalClient,
  startIdentityProvider,
  type World,
} from './identity-provider-fixture.ts';

let world: World;
let approval: ApprovalClient;
beforeAll(async () => {
  world = await startIdentityProvider();
  approval = await registerApprovalClient(world);
});
afterAll(async () => {
  await world.close();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A browser as far as cookies go. */
function createBrowser() {
  const jar = new Map<string, string>();
  const visit = async (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    headers.set('cookie', [...jar].map(([name, value]) => `${name}=${value}`).join('; '));
    const response = await fetch(new URL(path, world.issuer), { ...init, headers, redirect: 'manual' });
    for (const cookie of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (cookie.split(';')[0] ?? '').split('=');
      jar.set(name, value);
    }
    return response;
  };
  const formToken = async (path: string) =>
    /name="form_token" value="([^"]+)"/.exec(await (await visit(path)).text())?.[1] ?? '';
  const post = (path: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
    visit(path, { method: 'POST', body: new URLSearchParams(form), headers });
  return { jar, visit, formToken, post };
}

async function signedIn() {
  const browser = createBrowser();
  await browser.visit((await world.phone.ticket('alice')).url);
  const token = await browser.formToken('/phone');
  return { browser, token };
}

describe('a form', () => {
  const pending = async () => {
    await approval.ask(details());
    const request = (await world.phone.requests('alice')).at(-1);
    return `/phone/requests/${request?.id}`;
  };

  it('is taken with its own token', async () => {
    const path = await pending();
    const { browser, token } = await signedIn();
    const response = await browser.post(path, { form_token: token, decision: 'deny' });
    expect(response.status).toBe(303);
  });

  it('is refused without a token, with a wrong one, or with that of another browser', async () => {
    const path = await pending();
    const { browser } = await signedIn();
    const other = await signedIn();
    for (const form_token of ['', 'x'.repeat(43), other.token]) {
      expect((await browser.post(path, { form_token, decision: 'approve' })).status).toBe(403);
    }
    expect((await browser.post(path, { decision: 'approve' })).status).toBe(403);
    expect(await world.phone.requests('alice')).not.toHaveLength(0);
  });

  it('is refused when the browser says that it comes from another site', async () => {
    const path = await pending();
    const { browser, token } = await signedIn();
    const forged: Record<string, string>[] = [
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { origin: 'http://evil.example' },
    ];
    for (const headers of forged) {
      const response = await browser.post(path, { form_token: token, decision: 'approve' }, headers);
      expect(response.status, JSON.stringify(headers)).toBe(403);
    }
  });

  it('of the sign-in page is refused after the sign-in changed', async () => {
    const { browser, token } = await signedIn();
    browser.jar.delete(`sandbox_session_${new URL(world.issuer).port}`);
    expect((await browser.post('/signin', { form_token: token, username: 'alice' })).status).toBe(403);
  });

  it('is refused for a request of somebody else', async () => {
    await (await registerApprovalClient(world, {}, 'bob')).ask(details());
    const [bobs] = await world.phone.requests('bob');
    const { browser, token } = await signedIn();
    const response = await browser.post(`/phone/requests/${bobs?.id}`, {
      form_token: token,
      decision: 'approve',
    });
    expect(response.status).toBe(404);
    expect(await world.phone.requests('bob')).toHaveLength(1);
  });

  it('tells a decision that came too late from one that was made before', async () => {
    const { browser, token } = await signedIn();
    const path = await pending();
    await browser.post(path, { form_token: token, decision: 'approve' });
    expect((await browser.post(path, { form_token: token, decision: 'approve' })).status).toBe(303);
    expect((await browser.post(path, { form_token: token, decision: 'deny' })).status).toBe(409);
    const late = await pending();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 301_000 });
    expect((await browser.post(late, { form_token: token, decision: 'approve' })).status).toBe(410);
  });
});

describe('guessing', () => {
  it('a password stops after ten tries, also for the right one, and goes on after five minutes', async () => {
    const browser = createBrowser();
    const form_token = await browser.formToken('/signin');
    const attempt = async (password: string) =>
      (await browser.post('/signin', { form_token, username: 'bob', password })).status;
    for (let i = 0; i < 10; i++) expect(await attempt(`wrong-${i}`)).toBe(401);
    expect(await attempt('cedar-delta-4712')).toBe(429);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 301_000 });
    expect(await attempt('cedar-delta-4712')).toBe(303);
  });

  it('a device code stops after twenty tries', async () => {
    const browser = createBrowser();
    const form_token = await browser.formToken('/device');
    const attempt = async (user_code: string) =>
      (await browser.post('/device', { form_token, user_code })).status;
    for (let i = 0; i < 20; i++) expect(await attempt(`BCDF-GH${String(i).padStart(2, '0')}`)).toBe(404);
    expect(await attempt('BCDF-GHJK')).toBe(429);
  });
});

describe('every page', () => {
  const paths = [
    '/device',
    '/device/confirm',
    '/signin',
    '/phone',
    '/phone/pair',
    '/phone/events',
    '/phone/nothing',
  ];
  for (const path of paths) {
    it(`${path} can't be framed, sniffed, cached or fed a foreign script`, async () => {
      const { headers } = await createBrowser().visit(path);
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|\*|https?:/);
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('cache-control')).toBe('no-store');
    });
  }

  it('leads nowhere else after the sign-in', async () => {
    const targets = [
      'https://evil.example',
      '//evil.example',
      '/\\evil.example',
      '/device\\..\\x',
      'javascript:alert(1)',
    ];
    for (const next of targets) {
      const browser = createBrowser();
      const form_token = await browser.formToken('/signin');
      const response = await browser.post('/signin', {
        form_token,
        username: 'alice',
        password: 'amber-bison-4711',
        next,
      });
      expect(response.headers.get('location'), next).toBe('/phone');
    }
  });
});
