import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApprovalClient } from '../../../src/auth/approval-client.ts';
import type { CredentialStore } from '../../../src/auth/credential-store/credential-store.ts';
import { openFileStore } from '../../../src/auth/credential-store/file-store.ts';
import { beginDeviceLogin } from '../../../src/auth/device-login.ts';
import { generatePrivateJwk } from '../../../src/auth/dpop-key.ts';
import { profileSchema, type ResolvedProfile } from '../../../src/auth/profile.ts';
import { storedUser } from '../../../src/auth/stored-session.ts';
import { badIdTokens } from './bad-id-tokens.ts';
import { hastyClock } from './identity-provider-world.ts';
import { type Lies, type LyingProvider, startLyingProvider } from './lying-provider.ts';
import { anOrder } from './order-details.ts';

const GATEWAY = 'http://127.0.0.1:1';

let provider: LyingProvider;
let folder: string;
let profile: ResolvedProfile;
let store: CredentialStore;
beforeEach(async () => {
  provider = await startLyingProvider();
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-lies-'));
  profile = {
    ...profileSchema.parse({}),
    name: 'test',
    issuer: provider.issuer,
    gateway: GATEWAY,
    audience: GATEWAY,
    login_client: { client_id: 'login' },
    credential_store: 'file',
    phone: undefined,
  };
  store = openFileStore({ folder, profile: 'test' });
});
afterEach(async () => {
  await provider.close();
  rmSync(folder, { recursive: true, force: true });
});

const soon = () => AbortSignal.timeout(20_000);
const lie = (lies: Lies) => Object.assign(provider.lies, lies);

async function login() {
  const started = await beginDeviceLogin(profile, store, { clock: hastyClock });
  return await started.complete(soon());
}

async function approval() {
  const session = { issuer: provider.issuer, client_id: 'login', sub: 'alice', scopes: ['market:read'] };
  await store.set({
    session: JSON.stringify(session),
    dpop_key: JSON.stringify(await generatePrivateJwk()),
  });
  const client = createApprovalClient({ profile, store, clock: hastyClock });
  const { details, message } = anOrder(GATEWAY);
  const request = await client.request(details, message, 300);
  return { client, request, details, poll: () => client.poll(request.authReqId, soon()) };
}

describe('a sign-in', () => {
  it('is accepted from the provider when it tells the truth', async () => {
    expect(await login()).toMatchObject({ sub: 'alice', name: 'Alice' });
  });

  it.each(badIdTokens)('is refused with an ID token %s, and nothing is stored or told', async (_, lies) => {
    lie(await lies(provider));
    const error = await login().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'provider_error' });
    expect(await storedUser(profile, store)).toBeUndefined();
    expect(await store.get(['refresh_token'])).toEqual({});
    expectNoSecrets(error);
  });

  it.each([['id_token'], ['refresh_token'], ['access_token']])('is refused without %s', async (name) => {
    lie({ token: ({ [name]: _, ...answer }) => answer });
    const error = await login().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'provider_error' });
    expect(await storedUser(profile, store)).toBeUndefined();
    expectNoSecrets(error);
  });

  it.each([
    ['a script for an address', { verification_uri: 'javascript:alert(1)' }],
    ['a file for an address', { verification_uri_complete: 'file:///etc/passwd' }],
    ['an address without TLS', { verification_uri: 'http://evil.example/device' }],
    ['terminal codes in its user code', { user_code: 'AB\u001b[2J' }],
  ])('does not start with %s', async (_, change) => {
    lie({ device: (answer) => ({ ...answer, ...change }) });
    await expect(login()).rejects.toMatchObject({ code: 'provider_error' });
  });

  it('shows no control characters of a name that somebody chose', async () => {
    lie({ claims: (claims) => ({ ...claims, name: 'Al\u001b[31mice\u202e' }) });
    expect((await login()).name).toBe('Al [31mice ');
  });

  it('survives keys that can’t be fetched at first', async () => {
    lie({ brokenKeys: 2 });
    expect(await login()).toMatchObject({ sub: 'alice' });
  });

  it.each([
    ['access_denied', 'login_denied'],
    ['expired_token', 'login_expired'],
    ['invalid_grant', 'login_expired'],
    ['unauthorized_client', 'provider_error'],
  ])('that ends with %s is %s, and never asked about again', async (error, code) => {
    lie({ tokenError: { status: 400, body: JSON.stringify({ error }) } });
    await expect(login()).rejects.toMatchObject({ code });
    expect(provider.tokenRequests()).toBe(1);
  });

  it('waits longer by five seconds each time it is told to slow down', async () => {
    lie({ tokenError: { status: 400, body: JSON.stringify({ error: 'slow_down' }) } });
    const pauses: number[] = [];
    const clock = {
      now: Date.now,
      sleep: async (ms: number) => {
        pauses.push(ms);
        if (pauses.length === 3) delete provider.lies.tokenError;
      },
    };
    await (await beginDeviceLogin(profile, store, { clock })).complete(soon());
    expect(pauses).toEqual([1000, 6000, 11_000]);
  });
});

describe('the provider’s metadata', () => {
  it.each([
    ['names another issuer', { issuer: 'https://evil.example' }],
    ['sends tokens to an address without TLS', { token_endpoint: 'http://evil.example/token' }],
    ['publishes its keys at an address without TLS', { jwks_uri: 'http://evil.example/jwks' }],
  ])('is refused when it %s', async (_, change) => {
    lie({ metadata: (metadata) => ({ ...metadata, ...change }) });
    await expect(login()).rejects.toMatchObject({ code: 'provider_error' });
    expect(provider.tokenRequests()).toBe(0);
  });
});

describe('an approval', () => {
  it('is accepted from the provider when it tells the truth', async () => {
    const { poll } = await approval();
    expect(await poll()).toMatchObject({ status: 'approved', accessToken: 'planted-access-token-4242' });
  });

  it.each(badIdTokens)('is refused with an ID token %s', async (_, lies) => {
    const { poll } = await approval();
    lie(await lies(provider));
    const result = await poll();
    expect(result).toMatchObject({ status: 'failed' });
    expectNoSecrets(result);
  });

  it('of another user is refused', async () => {
    const { poll } = await approval();
    lie({ claims: (claims) => ({ ...claims, sub: 'mallory' }) });
    expect(await poll()).toEqual({ status: 'failed', error: 'approved_by_another_user' });
  });

  it('that can’t be checked, since the keys are out of reach, is lost: it says nothing against the approval', async () => {
    const { poll } = await approval();
    lie({ brokenKeys: 3 });
    expect(await poll()).toEqual({ status: 'lost' });
  });

  it('of another request is refused', async () => {
    const { poll } = await approval();
    lie({ claims: (claims) => ({ ...claims, 'urn:openid:params:jwt:claim:auth_req_id': 'another' }) });
    expect(await poll()).toEqual({ status: 'failed', error: 'invalid_id_token' });
  });

  it('without an ID token is accepted: CIBA needs none in poll mode', async () => {
    const { poll } = await approval();
    lie({ token: ({ id_token: _, ...answer }) => answer });
    expect(await poll()).toMatchObject({ status: 'approved' });
  });

  it('without an access token is refused', async () => {
    const { poll } = await approval();
    lie({ token: ({ access_token: _, ...answer }) => answer });
    expect(await poll()).toEqual({ status: 'failed', error: 'invalid_response' });
  });

  it('whose token is not bound to our key is refused', async () => {
    const { poll } = await approval();
    lie({ token: (answer) => ({ ...answer, token_type: 'Bearer' }) });
    expect(await poll()).toEqual({ status: 'failed', error: 'token_not_bound' });
  });

  it.each<[string, (details: object) => unknown]>([
    ['of another quantity', (details) => [{ ...details, qty: '500' }]],
    ['with a field more', (details) => [{ ...details, note: 'x' }]],
    ['for two orders', (details) => [details, details]],
    ['for no order', () => []],
    ['that are no list', (details) => details],
  ])('with details %s is refused', async (_, change) => {
    const { poll, details } = await approval();
    lie({ token: (answer) => ({ ...answer, authorization_details: change(details) }) });
    expect(await poll()).toEqual({ status: 'failed', error: 'authorization_details_mismatch' });
  });

  it.each([['auth_req_id'], ['expires_in']])('can’t be waited for without %s', async (name) => {
    lie({ backchannel: ({ [name]: _, ...answer }) => answer });
    await expect(approval()).rejects.toMatchObject({ code: 'provider_error' });
  });

  it('is asked about every five seconds where the provider names no interval', async () => {
    expect((await approval()).request.interval).toBe(5);
    lie({ backchannel: (answer) => ({ ...answer, interval: 2 }) });
    expect((await approval()).request.interval).toBe(2);
  });

  it.each<[string, number, string, object]>([
    ['authorization_pending', 400, '{"error":"authorization_pending"}', { status: 'pending' }],
    ['slow_down', 400, '{"error":"slow_down"}', { status: 'slow_down' }],
    ['access_denied', 400, '{"error":"access_denied"}', { status: 'denied' }],
    ['expired_token', 400, '{"error":"expired_token"}', { status: 'expired' }],
    ['invalid_grant', 400, '{"error":"invalid_grant"}', { status: 'lost' }],
    ['invalid_client', 401, '{"error":"invalid_client"}', { status: 'lost' }],
    ['invalid_request', 400, '{"error":"invalid_request"}', { status: 'failed', error: 'invalid_request' }],
    [
      'an error that is no word',
      400,
      '{"error":"\\u001b[31m boo"}',
      { status: 'failed', error: 'unknown_error' },
    ],
    [
      'server_error',
      500,
      '{"error":"server_error"}',
      { status: 'unreachable', reason: 'it answered with HTTP status 500' },
    ],
    [
      'half a body',
      200,
      '{"access_token":"planted-acc',
      { status: 'unreachable', reason: 'its answer was not JSON' },
    ],
    ['a page', 502, '<html>', { status: 'unreachable', reason: 'it answered with HTTP status 502' }],
    [
      'a firewall’s no',
      403,
      '{"message":"Forbidden"}',
      { status: 'unreachable', reason: 'it answered with HTTP status 403' },
    ],
  ])('answered with %s is told apart', async (_, status, body, expected) => {
    const { poll } = await approval();
    lie({ tokenError: { status, body } });
    expect(await poll()).toEqual(expected);
  });

  it('hears how long the provider wants to be left alone', async () => {
    const { poll } = await approval();
    lie({ tokenError: { status: 429, body: '{}', headers: { 'retry-after': '9' } } });
    expect(await poll()).toMatchObject({ status: 'unreachable', retryAfter: 9 });
  });

  it('that ran out is expired also where the provider calls it denied', async () => {
    lie({ backchannel: (answer) => ({ ...answer, expires_in: 1 }) });
    await approval();
    let now = Date.now();
    const clock = { ...hastyClock, now: () => now };
    const client = createApprovalClient({ profile, store, clock });
    const { details, message } = anOrder(GATEWAY);
    const { authReqId } = await client.request(details, message, 300);
    lie({ tokenError: { status: 400, body: '{"error":"access_denied"}' } });
    now += 1000;
    expect(await client.poll(authReqId, soon())).toEqual({ status: 'expired' });
  });
});

function expectNoSecrets(value: unknown): void {
  const { stack = '', cause } = value as Error;
  const text = `${JSON.stringify(value)} ${stack} ${JSON.stringify(cause)}`;
  expect(text).not.toMatch(/planted-|device-code|auth-req-id/);
}
