import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { beginDeviceLogin } from '../../../src/auth/session/device-login.ts';
import { storedUser } from '../../../src/auth/session/stored-session.ts';
import { profileSchema, type ResolvedProfile } from '../../../src/config/profile.ts';
import type { CredentialStore } from '../../../src/secrets/credential-store.ts';
import { openFileStore } from '../../../src/secrets/file/file-store.ts';
import { badIdTokens } from './bad-id-tokens.ts';
import { hastyClock } from './identity-provider-world.ts';
import { type Lies, type LyingProvider, startLyingProvider } from './lying-provider.ts';

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
    expect((await login()).name).toBe('Alice');
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
      monotonic: Date.now,
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

function expectNoSecrets(value: unknown): void {
  const { stack = '', cause } = value as Error;
  const text = `${JSON.stringify(value)} ${stack} ${JSON.stringify(cause)}`;
  expect(text).not.toMatch(/planted-|device-code|auth-req-id/);
}
