import { randomUUID } from 'node:crypto';
import { afterAll, describe, expect, it } from 'vitest';
import { createApprovalRequests } from '../../../src/home/identity-provider/approval-requests.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { createRecoveryCodeStore } from '../../../src/store/home/recovery-codes.ts';
import { createSessionStore } from '../../../src/store/home/sessions.ts';
import { createSqliteTransactions } from '../../../src/store/sqlite/sql-database.ts';
import { plainRequest } from '../plain-request.ts';
import { details, startIdentityProvider } from '../sandbox/identity-provider-fixture.ts';
import { register } from './public-client.ts';

/*
 * Over https the cookie is the origin's own (`__Host-`), so pages work without script: to read and to deny. The server
 * behind it speaks http here, as one behind a proxy does.
 */

const ADDRESS = 'https://home.example';

const world = await startIdentityProvider({ address: ADDRESS });
afterAll(() => world.close());

/** A browser without script: cookies and forms. */
function plainBrowser() {
  const jar = new Map<string, string>();
  const ask = async (path: string, form?: Record<string, string>, more: Record<string, string> = {}) => {
    const { status, headers, text } = await plainRequest(new URL(path, world.issuer), {
      headers: {
        accept: 'text/html,application/xhtml+xml;q=0.9,*/*;q=0.8',
        cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; '),
        ...more,
      },
      ...(form === undefined ? {} : { form }),
    });
    const cookies = headers['set-cookie'] ?? [];
    for (const cookie of cookies) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      jar.set(name, value);
    }
    return { status, location: headers.location, cookies, headers, text };
  };
  const tokenOn = async (path: string) => /name="form_token" value="([^"]+)"/.exec((await ask(path)).text)?.[1] ?? '';
  return { jar, ask, tokenOn };
}

async function recovered() {
  const browser = plainBrowser();
  const form_token = await browser.tokenOn('/signin');
  const database = createSqliteTransactions(world.database());
  const code = await createRecoveryCodeStore({ database, clock: systemClock }).issue('alice');
  const answer = await browser.ask('/signin/recovery', { form_token, username: 'alice', code });
  return { browser, answer };
}

/** A request on alice's phone. @returns its path */
async function asked(changes: Parameters<typeof details>[0] = {}) {
  const authReqId = randomUUID();
  await createApprovalRequests(createSqliteTransactions(world.database()), systemClock).add({
    authReqId,
    user: 'alice',
    clientId: 'client',
    clientName: 'test',
    code: 'K7QP',
    bindingMessage: undefined,
    details: details(changes),
    expiresAt: Date.now() + 60_000,
  });
  const id = (await world.phone.requests('alice')).at(-1)?.id ?? '';
  return { id, path: `/phone/requests/${id}` };
}

/** A program that is answered by https. */
async function registered() {
  const redirectUri = 'https://agent.example/callback';
  const { body } = await register(world.issuer, { redirect_uris: [redirectUri] });
  return { clientId: body.client_id, redirectUri };
}

describe('over https, without script', () => {
  it('one signs in by recovery code, with a cookie that is this origin’s alone', async () => {
    const { answer } = await recovered();
    expect([answer.status, answer.location]).toEqual([303, '/phone']);
    const session = answer.cookies.find((cookie) => cookie.startsWith('__Host-trade_agent_session='));
    for (const attribute of ['HttpOnly', 'Secure', 'SameSite=Lax', 'Path=/']) expect(session).toContain(attribute);
    expect(session).not.toContain('Domain');
    expect(answer.headers['strict-transport-security']).toMatch(/^max-age=\d{8}/);
  });

  it('a program’s request is known by cookies that no other address can set, and that one request takes from no other', async () => {
    const { clientId, redirectUri } = await registered();
    const browser = plainBrowser();
    const query = new URLSearchParams({
      ...{ client_id: clientId, redirect_uri: redirectUri, response_type: 'code' },
      ...{ code_challenge: 'c'.repeat(43), code_challenge_method: 'S256' },
    });
    const answer = await browser.ask(`/authorize?${query}`);
    expect(answer.status).toBe(303);
    const names = answer.cookies.map((cookie) => cookie.split('=', 1)[0]);
    expect(names).toContain('__Secure-_interaction');
    for (const cookie of answer.cookies) {
      if (cookie.startsWith('__Host-')) continue;
      expect(cookie).toMatch(/^__Secure-_interaction/);
      expect(cookie.toLowerCase()).toMatch(/; path=\/.+; .*secure/);
    }
  });

  it('one reads and denies, and approves nothing', async () => {
    const { browser } = await recovered();
    const { id, path } = await asked({ symbol: 'NFLX' });
    expect((await browser.ask('/phone')).text).toContain('NFLX');
    const form_token = await browser.tokenOn('/phone');
    expect((await browser.ask(path, { form_token, decision: 'approve' })).status).toBe(403);
    const denied = await browser.ask(path, { form_token, decision: 'deny' });
    expect([denied.status, denied.location]).toEqual([303, '/phone']);
    expect(await world.phone.request(id)).toMatchObject({ status: 'denied' });
  });

  it('a form without its token, with another browser’s, or from another site changes nothing', async () => {
    const { browser } = await recovered();
    const { browser: other } = await recovered();
    const { id, path } = await asked();
    const form_token = await browser.tokenOn('/phone');
    const decision = 'deny';
    const answers = await Promise.all([
      browser.ask(path, { decision }),
      browser.ask(path, { decision, form_token: await other.tokenOn('/phone') }),
      browser.ask(path, { decision, form_token }, { origin: 'https://evil.example' }),
      browser.ask(path, { decision, form_token }, { 'sec-fetch-site': 'same-site' }),
      browser.ask(path, { decision, form_token }, { 'sec-fetch-site': 'cross-site' }),
    ]);
    expect(answers.map(({ status }) => status)).toEqual([403, 403, 403, 403, 403]);
    expect(await world.phone.request(id)).toMatchObject({ status: 'pending' });
  });

  it('one lets a program in, once the passkey has signed in, and is led on to it', async () => {
    const { clientId, redirectUri } = await registered();
    const browser = plainBrowser();
    const database = createSqliteTransactions(world.database());
    const sessions = createSessionStore({ database, formKey: '', clock: systemClock });
    const secret = await sessions.open({ username: 'alice', by: 'passkey', browser: 'a browser', key: undefined });
    browser.jar.set('__Host-trade_agent_session', secret);
    const query = new URLSearchParams({
      client_id: clientId,
      redirect_uri: redirectUri,
      response_type: 'code',
      code_challenge: 'c'.repeat(43),
      code_challenge_method: 'S256',
    });
    const sent = await browser.ask(`/authorize?${query}`);
    expect(sent.cookies.every((cookie) => cookie.includes('secure'))).toBe(true);
    const page = sent.location ?? '';
    const shown = await browser.ask(page);
    expect(shown.text).toContain('data-testid="allow"');
    // Chromium stops a form's redirect at any other origin than these.
    expect(shown.headers['content-security-policy']).toContain("form-action 'self' https://agent.example;");
    const form_token = await browser.tokenOn(page);
    const allowed = await browser.ask(page, { form_token, decision: 'allow' });
    const answered = await browser.ask(allowed.location ?? '');
    expect(answered.location).toMatch(/^https:\/\/agent\.example\/callback\?code=/);
    expect(new URL(answered.location ?? '').searchParams.get('iss')).toBe(ADDRESS);
  });

  it('the page loads by itself what is new, while nobody is reading', async () => {
    const { browser } = await recovered();
    for (const { id } of await world.phone.requests('alice')) await world.phone.decide(id, 'deny');
    expect((await browser.ask('/phone')).text).toContain('<noscript><meta http-equiv="refresh"');
  });

  it('a stranger sees no more than the page of sign-in', async () => {
    const stranger = plainBrowser();
    expect((await stranger.ask('/phone')).location).toMatch(/^\/signin/);
    stranger.jar.set('__Host-trade_agent_session', 'A'.repeat(43));
    expect((await stranger.ask('/phone')).location).toMatch(/^\/signin/);
  });
});
