import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { exportJWK, generateKeyPair } from 'jose';
import * as client from 'openid-client';
import { afterAll, describe, expect, it } from 'vitest';
import { createPhoneClient } from '../../../src/home/phone/phone-client.ts';
import { startSandbox } from '../../../src/sandbox/sandbox.ts';
import { createPeopleStore } from '../../../src/store/home/people.ts';
import { createSqliteTransactions } from '../../../src/store/sqlite/sql-database.ts';
import { signIn } from '../sandbox/identity-provider-fixture.ts';
import { openLinkByHttp, pairByHttp, submitSigned } from './http-browser.ts';

const SCOPES =
  'openid offline_access market:read portfolio:read orders:read orders:cancel orders:propose messages:propose';

const folder = mkdtempSync(join(tmpdir(), 'trade-agent-revoked-'));
const sandbox = await startSandbox({ home: folder, port: 0 });
const phone = createPhoneClient({ phone: sandbox.ready.phone, pairingSecret: sandbox.pairingSecret });
afterAll(async () => {
  await sandbox.close();
  rmSync(folder, { recursive: true, force: true });
});

const loginClient = () =>
  client.discovery(
    new URL(sandbox.ready.issuer),
    'trade-agent',
    { token_endpoint_auth_method: 'none' },
    client.None(),
    { execute: [client.allowInsecureRequests] },
  );

/** A program that is signed in as somebody, and what it does at the gateway. */
async function session(user: string, device = 'laptop') {
  const { config, tokens, dpop } = await signIn({ loginClient, phone }, { user, device, scope: SCOPES });
  const call = async (method: string, path: string, body?: unknown) => {
    const response = await client
      .fetchProtectedResource(
        config,
        tokens.access_token,
        new URL(path, sandbox.ready.gateway),
        method,
        body === undefined ? undefined : JSON.stringify(body),
        new Headers({ 'content-type': 'application/json', 'idempotency-key': randomUUID() }),
        dpop,
      )
      .catch((error: unknown) => {
        if (error instanceof client.WWWAuthenticateChallengeError && error.response) return error.response;
        throw error;
      });
    return response as Response;
  };
  const answer = async (method: string, path: string, body?: unknown) => {
    const response = await call(method, path, body);
    return {
      status: response.status,
      ...((await response.json()) as { code?: string; id?: string; state?: string }),
    };
  };
  return {
    config,
    tokens,
    call,
    answer,
    propose: () => answer('POST', '/v1/proposals', { kind: 'order', order: { symbol: 'AAPL', side: 'buy', qty: '1' } }),
    refresh: (token = tokens.refresh_token ?? '') => client.refreshTokenGrant(config, token, undefined, dpop),
  };
}
type Session = Awaited<ReturnType<typeof session>>;

/** Nothing of it counts any more: neither its tokens nor what it proposed. */
async function expectEnded(ended: Session): Promise<void> {
  expect(await ended.answer('GET', '/v1/proposals?state=all')).toMatchObject({
    status: 401,
    code: 'token_revoked',
  });
  expect(await ended.propose()).toMatchObject({ status: 401, code: 'token_revoked' });
  await expect(ended.refresh()).rejects.toMatchObject({ error: 'invalid_grant' });
  const exchanged = await fetch(`${sandbox.ready.issuer}/me/v1/connected-accounts/accounts`);
  expect(exchanged.status).toBe(401);
}

const waiting = async (user: string) => (await phone.requests(user)).length;

describe('a revoked refresh token (RFC 7009)', () => {
  it('ends access tokens and open proposals at once, and nobody else’s', async () => {
    const [alice, bob] = [await session('alice'), await session('bob')];
    const proposed = await alice.propose();
    const bobs = await bob.propose();
    expect([proposed.state, bobs.state]).toEqual(['requested', 'requested']);
    expect([await waiting('alice'), await waiting('bob')]).toEqual([1, 1]);
    const events = await alice.call('GET', '/v1/events');
    const reader = (events.body as ReadableStream<Uint8Array>).getReader();

    await client.tokenRevocation(alice.config, alice.tokens.refresh_token ?? '');

    await expectEnded(alice);
    await expect.poll(() => waiting('alice')).toBe(0);
    const [shown] = await phone.allRequests('alice');
    expect(shown).toMatchObject({ status: 'withdrawn', outcome: { state: 'cancelled' } });
    await expect(phone.decide(shown?.id ?? '', 'approve')).rejects.toMatchObject({
      code: 'approval_expired',
    });
    // An event stream that was open tells nothing more.
    let told = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      told += Buffer.from(value).toString();
    }
    expect(told).not.toContain('cancelled');
    const again = await session('alice');
    expect(await again.answer('GET', `/v1/proposals/${proposed.id}`)).toMatchObject({
      state: 'cancelled',
      reason: { code: 'approval_cancelled', text: expect.stringContaining('sign-in') },
    });
    // Somebody else's goes on, to the end.
    expect(await bob.answer('GET', `/v1/proposals/${bobs.id}`)).toMatchObject({ state: 'requested' });
    const [asked] = await phone.requests('bob');
    await phone.decide(asked?.id ?? '', 'approve');
    await expect
      .poll(async () => (await bob.answer('GET', `/v1/proposals/${bobs.id}`)).state, { timeout: 10_000 })
      .toBe('executed');
  });

  it('leaves the other sessions of the person', async () => {
    const [laptop, desktop] = [await session('alice'), await session('alice', 'desktop')];
    await client.tokenRevocation(laptop.config, laptop.tokens.refresh_token ?? '');
    expect((await desktop.answer('GET', '/v1/proposals')).status).toBe(200);
    await expectEnded(laptop);
  });

  it('that is used again after its successor was ends the session in the same way', async () => {
    const stolen = await session('alice');
    await stolen.propose();
    const { refresh_token: second } = await stolen.refresh();
    await stolen.refresh(second);
    // The thief's copy of the first.
    await expect(stolen.refresh()).rejects.toMatchObject({ error: 'invalid_grant' });
    await expectEnded(stolen);
    await expect.poll(() => waiting('alice')).toBe(0);
  });
});

describe('on the phone, a person', () => {
  it('signs a device out, which ends it at once', async () => {
    const alice = await session('alice', 'a lost laptop');
    await alice.propose();
    // By a link, too: to take away what others may do takes no passkey.
    const browser = await openLinkByHttp((await phone.ticket('alice')).url);
    const page = await (await browser.visit('/phone/programs')).text();
    expect(page).toContain('a lost laptop');
    const [, id = ''] = /a lost laptop[\s\S]*?name="id" value="([^"]+)"/.exec(page) ?? [];
    const bobs = await openLinkByHttp((await phone.ticket('bob')).url);
    await bobs.submit('/phone/programs', '/phone/programs/sign-out', { id });
    expect((await alice.answer('GET', '/v1/proposals')).status).toBe(200);
    await browser.submit('/phone/programs', '/phone/programs/sign-out', { id });
    await expectEnded(alice);
    await expect.poll(() => waiting('alice')).toBe(0);
    expect(await (await browser.visit('/phone/programs')).text()).not.toContain('a lost laptop');
  });

  it('lets a program in with a passkey, and removes it, which ends it at once', async () => {
    const link = await openLinkByHttp((await phone.ticket('alice')).url);
    expect((await link.submit('/phone/programs', '/phone/programs/token')).status).toBe(403);
    const { browser } = await pairByHttp((await phone.pairing('alice')).url);
    const answer = await (await submitSigned(browser, '/phone/programs', '/phone/programs/token')).text();
    const token = /data-testid="registration-token">([^<]+)</.exec(answer)?.[1] ?? '';
    const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
    const robot = await client.dynamicClientRegistration(
      new URL(sandbox.ready.issuer),
      {
        client_name: 'a robot',
        grant_types: ['urn:openid:params:grant-type:ciba'],
        response_types: [],
        token_endpoint_auth_method: 'private_key_jwt',
        backchannel_token_delivery_mode: 'poll',
        authorization_details_types: ['message_send'],
        jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256', use: 'sig' }] },
      } as Partial<client.ClientMetadata>,
      client.PrivateKeyJwt({ key: privateKey, kid: 'k' }),
      { execute: [client.allowInsecureRequests], initialAccessToken: token },
    );
    const page = await (await browser.visit('/phone/programs')).text();
    expect(page).toContain('New app, unverified');
    const [, id = ''] = /a robot[\s\S]*?name="id" value="([^"]+)"/.exec(page) ?? [];
    expect(id).toBe(robot.clientMetadata().client_id);
    const poll = () =>
      client
        .genericGrantRequest(robot, 'urn:openid:params:grant-type:ciba', { auth_req_id: 'none' })
        .catch(({ error }: { error: string }) => error);
    expect(await poll()).toBe('invalid_grant');
    await browser.submit('/phone/programs', '/phone/programs/remove', { id });
    expect(await poll()).toBe('invalid_client');
  });
});

describe('a person who is removed', () => {
  it('is gone at once: sessions, tokens, what was proposed, what waits', async () => {
    const bob = await session('bob');
    const browser = await openLinkByHttp((await phone.ticket('bob')).url);
    const ticket = await phone.ticket('bob');
    await bob.propose();
    expect(await waiting('bob')).toBeGreaterThan(0);
    expect((await browser.visit('/phone')).status).toBe(200);

    await sandbox.people.remove('bob');

    await expectEnded(bob);
    expect((await browser.visit('/phone')).headers.get('x-phone-location')).toMatch(/^\/signin/);
    expect((await (await openLinkByHttp(ticket.url)).visit('/phone')).headers.get('x-phone-location')).toMatch(
      /^\/signin/,
    );
    await expect(phone.requests('bob')).rejects.toMatchObject({ code: 'not_found' });
    const database = new Database(join(folder, 'identity-provider.db'), { readonly: true });
    const open = database.prepare(
      "SELECT count(*) AS n FROM approval_requests WHERE username = 'bob' AND decision IS NULL AND withdrawn_at IS NULL AND expires_at > ?",
    );
    await expect.poll(() => open.get(Date.now())).toEqual({ n: 0 });
    const left = database
      .prepare(
        "SELECT model FROM oidc_entities WHERE json_extract(payload, '$.accountId') = 'bob' AND model IN ('Grant', 'RefreshToken', 'AccessToken', 'DeviceCode')",
      )
      .all();
    expect(left).toEqual([]);
    database.close();
  });

  it('is gone at once though another process removed them', async () => {
    const alice = await session('alice');
    const browser = await openLinkByHttp((await phone.ticket('alice')).url);
    const database = new Database(join(folder, 'identity-provider.db'));
    await createPeopleStore(createSqliteTransactions(database), Date.now).remove('alice');
    database.close();
    expect((await alice.answer('GET', '/v1/proposals')).status).toBe(401);
    await expect(alice.refresh()).rejects.toMatchObject({ error: 'invalid_grant' });
    expect((await browser.visit('/phone')).headers.get('x-phone-location')).toMatch(/^\/signin/);
  });
});
