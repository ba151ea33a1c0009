import { describe, expect, it } from 'vitest';
import { challengeOf, createHttpBrowser, ledTo, pairByHttp } from '../home/http-browser.ts';
import { details, registerApprovalClient } from './identity-provider-fixture.ts';
import { approval, travel, waiting, withProvider, world } from './provider-desk.ts';

withProvider();

async function signedIn() {
  const { browser } = await pairByHttp((await world.phone.pairing('alice')).url);
  return { browser, token: await browser.formToken('/phone') };
}

describe('a form', () => {
  const pending = async () => {
    await approval.ask(details());
    return `/phone/requests/${await waiting()}`;
  };

  it('is taken with its own token', async () => {
    const path = await pending();
    const { browser, token } = await signedIn();
    const response = await browser.post(path, { form_token: token, decision: 'deny' });
    expect(ledTo(response)).toBe('/phone');
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
    browser.jar.clear();
    expect((await browser.post('/signin/options', { form_token: token })).status).toBe(403);
  });

  it('is refused for a request of somebody else', async () => {
    await (await registerApprovalClient(world, {}, 'bob')).ask(details());
    const [bobs] = await world.phone.requests('bob');
    const { browser, token } = await signedIn();
    const form = { form_token: token, decision: 'approve' };
    const response = await browser.post(`/phone/requests/${bobs?.id}`, form);
    expect(response.status).toBe(404);
    expect(await world.phone.requests('bob')).toHaveLength(1);
  });

  it('tells a decision that came too late from one that was made before', async () => {
    const { browser, token } = await signedIn();
    const path = await pending();
    await browser.post(path, { form_token: token, decision: 'approve' });
    expect(ledTo(await browser.post(path, { form_token: token, decision: 'approve' }))).toBe('/phone');
    expect((await browser.post(path, { form_token: token, decision: 'deny' })).status).toBe(409);
    const late = await pending();
    travel(301_000);
    expect((await browser.post(late, { form_token: token, decision: 'approve' })).status).toBe(410);
  });
});

describe('guessing', () => {
  it('a device code stops after twenty tries', async () => {
    const { browser, token: form_token } = await signedIn();
    const attempt = async (user_code: string) => (await browser.post('/device', { form_token, user_code })).status;
    for (let i = 0; i < 20; i++) expect(await attempt(`BCDF-GH${String(i).padStart(2, '0')}`)).toBe(404);
    expect(await attempt('BCDF-GHJK')).toBe(429);
  });
});

describe('every page', () => {
  const paths = [
    ...['/device', '/device/confirm', '/signin', '/phone', '/phone/pair', '/phone/link'],
    ...[
      '/phone/authenticators',
      '/phone/sessions',
      '/phone/settings',
      '/phone/approvals',
      '/phone/events',
      '/phone/nothing',
    ],
  ];
  const fixed = {
    'x-frame-options': 'DENY',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    'cache-control': 'no-store',
  };
  for (const path of paths) {
    it(`${path} can't be framed, sniffed, cached or fed a foreign script`, async () => {
      const { headers } = await createHttpBrowser(world.issuer).visit(path);
      const policy = headers.get('content-security-policy') ?? '';
      expect(policy).toContain("default-src 'none'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|\*|https?:/);
      expect(policy).not.toMatch(/nonce|sha\d/);
      expect(Object.fromEntries(headers)).toMatchObject(fixed);
    });
  }

  it.each(['/phone', '/phone/api/requests', '/signin/options'])(
    '%s takes no other method, and no body of unknown length',
    async (path) => {
      const whole = ['OPTIONS', 'PUT', 'DELETE'].map((method) => ({
        method,
        body: method === 'PUT' ? 'x' : null,
      }));
      const streamed = { method: 'POST', body: new Blob(['x']).stream(), duplex: 'half' } as RequestInit;
      const answers = await Promise.all([...whole, streamed].map((init) => fetch(world.issuer + path, init)));
      expect(answers.map(({ status }) => status)).toEqual([405, 405, 405, 411]);
      expect(world.problems).toEqual([]);
    },
  );

  it('leads nowhere else after the sign-in', async () => {
    const hidden = ['/\\evil.example', '/device\\..\\x', 'javascript:alert(1)'];
    const targets = ['https://evil.example', '//evil.example', ...hidden];
    const { authenticator } = await pairByHttp((await world.phone.pairing('alice')).url);
    for (const next of targets) {
      const browser = createHttpBrowser(world.issuer);
      const options = await browser.submit('/signin', '/signin/options', {}, { accept: 'application/json' });
      const assertion = JSON.stringify(authenticator.assert(await challengeOf(options)));
      const response = await browser.submit('/signin', '/signin/passkey', { assertion, next });
      expect(ledTo(response), next).toBe('/phone');
    }
  });
});
