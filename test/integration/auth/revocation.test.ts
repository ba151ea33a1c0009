import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { logout } from '../../../src/auth/logout.ts';
import { profileSchema, type ResolvedProfile } from '../../../src/config/profile.ts';
import type { CredentialStore } from '../../../src/secrets/credential-store.ts';
import { credentialNames } from '../../../src/secrets/credential-store.ts';
import { openFileStore } from '../../../src/secrets/file/file-store.ts';
import { type LyingProvider, startLyingProvider } from './lying-provider.ts';

const REFRESH = 'planted-refresh-token-0911';
const ACCESS = 'planted-access-token-0911';
const ENDS = Date.parse('2030-01-01T00:00:00Z');

let provider: LyingProvider;
let folder: string;
let profile: ResolvedProfile;
let store: CredentialStore;
beforeEach(async () => {
  provider = await startLyingProvider();
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-revocation-'));
  profile = {
    ...profileSchema.parse({}),
    name: 'test',
    issuer: provider.issuer,
    gateway: 'http://127.0.0.1:1',
    audience: 'http://127.0.0.1:1',
    login_client: { client_id: 'login' },
    credential_store: 'file',
    phone: undefined,
  };
  store = openFileStore({ folder, profile: 'test' });
  await store.set({
    session: JSON.stringify({ issuer: provider.issuer, client_id: 'login', sub: 'alice', scopes: [] }),
    refresh_token: REFRESH,
    access_token: JSON.stringify({ value: ACCESS, type: 'dpop', scopes: [], expiresAt: ENDS, sub: 'alice' }),
  });
});
afterEach(async () => {
  await provider.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Signs out; whatever comes of it at the provider, nothing is left here and no token is told. */
async function signOut() {
  const result = await logout({ profile, store });
  expect(Object.values(await store.get(credentialNames)).filter((value) => value !== undefined)).toEqual([]);
  expect(JSON.stringify(result)).not.toMatch(/planted/);
  return result;
}

it('a sign-out revokes the refresh token, then the access token, each as what it is', async () => {
  expect(await signOut()).toMatchObject({ revoked: true, unrevoked: [], warning: undefined });
  expect(provider.revocations).toEqual([
    { client_id: 'login', token: REFRESH, token_type_hint: 'refresh_token' },
    { client_id: 'login', token: ACCESS, token_type_hint: 'access_token' },
  ]);
});

it('a refresh token that came without a session is revoked too; one of another issuer goes nowhere', async () => {
  await store.delete(['session', 'access_token']);
  expect(await signOut()).toMatchObject({
    user: undefined,
    anything: true,
    revoked: true,
    warning: undefined,
  });
  expect(provider.revocations).toEqual([
    { client_id: 'login', token: REFRESH, token_type_hint: 'refresh_token' },
  ]);
  await store.set({
    session: JSON.stringify({ issuer: 'https://id.example', client_id: 'login', sub: 'alice', scopes: [] }),
    refresh_token: REFRESH,
  });
  expect((await signOut()).warning).toContain('it belongs to another identity provider');
  expect(provider.revocations).toHaveLength(1);
});

it('a provider that revokes no access tokens is taken at its word, without a warning', async () => {
  provider.lies.revoke = (form) =>
    form.token_type_hint === 'access_token' ? oauthError(400, 'unsupported_token_type') : undefined;
  expect(await signOut()).toMatchObject({
    revoked: true,
    unrevoked: [{ token: 'access_token', unsupported: true }],
    warning: undefined,
  });
});

it('an access token that could not be revoked is told, and when it ends', async () => {
  provider.lies.revoke = (form) =>
    form.token_type_hint === 'access_token' ? oauthError(400, 'invalid_request') : undefined;
  const { revoked, warning } = await signOut();
  expect(revoked).toBe(true);
  expect(warning).toContain('the access token could not be revoked (it answered invalid_request)');
  expect(warning).toContain('2030-01-01T00:00:00.000Z');
});

it.each([
  ['away', async () => await provider.close(), "it can't be reached"],
  [
    'out of order',
    async () => void Object.assign(provider.lies, { revoke: () => new Response('', { status: 503 }) }),
    'it answered with HTTP status 503',
  ],
  [
    'without a revocation endpoint',
    async () =>
      void Object.assign(provider.lies, {
        metadata: ({ revocation_endpoint: _, ...rest }: Record<string, unknown>) => rest,
      }),
    'it offers no revocation',
  ],
])('a provider that is %s leaves both tokens listed as not revoked', async (_, arrange, reason) => {
  await arrange();
  const { revoked, unrevoked, warning } = await signOut();
  expect(revoked).toBe(false);
  expect(unrevoked.map(({ token }) => token)).toEqual(['refresh_token', 'access_token']);
  expect(warning).toContain(reason);
  expect(warning).toContain('The access token ends by itself at 2030-01-01T00:00:00.000Z');
  // Nobody waits for it twice.
  expect(provider.revocations.length).toBeLessThanOrEqual(1);
});

it('a redirect of the revocation endpoint is not followed', async () => {
  provider.lies.revoke = () =>
    new Response('', { status: 307, headers: { location: `${provider.issuer}/elsewhere` } });
  expect((await signOut()).unrevoked).toHaveLength(2);
  expect(provider.elsewhere()).toBe(0);
});

it('no token goes to a revocation endpoint without TLS', async () => {
  provider.lies.metadata = (metadata) => ({ ...metadata, revocation_endpoint: 'http://evil.example/revoke' });
  expect((await signOut()).unrevoked).toHaveLength(2);
  expect(provider.revocations).toEqual([]);
});

const oauthError = (status: number, error: string) =>
  new Response(JSON.stringify({ error }), { status, headers: { 'content-type': 'application/json' } });
