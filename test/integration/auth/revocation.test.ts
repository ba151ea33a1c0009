import { afterEach, beforeEach, expect, it } from 'vitest';
import { logout } from '../../../src/auth/logout.ts';
import { credentialNames } from '../../../src/secrets/credential-store.ts';
import { type LyingWorld, startLyingWorld } from './lying-provider.ts';

const REFRESH = 'planted-refresh-token-0911';
const ACCESS = 'planted-access-token-0911';
const ENDS = Date.parse('2030-01-01T00:00:00Z');

let world: LyingWorld;
beforeEach(async () => {
  world = await startLyingWorld();
  await world.signedIn({ refresh_token: REFRESH });
  await world.store.set({
    access_token: JSON.stringify({ value: ACCESS, type: 'dpop', scopes: [], expiresAt: ENDS, sub: 'alice' }),
  });
});
afterEach(() => world.close());

/** Signs out; whatever comes of it at the provider, nothing is left here and no token is told. */
async function signOut() {
  const result = await logout(world);
  expect(Object.values(await world.store.get(credentialNames)).filter((value) => value !== undefined)).toEqual([]);
  expect(JSON.stringify(result)).not.toMatch(/planted/);
  return result;
}

it('a sign-out revokes the refresh token, then the access token, each as what it is', async () => {
  expect(await signOut()).toMatchObject({ revoked: true, unrevoked: [], warning: undefined });
  expect(world.provider.revocations).toEqual([
    { client_id: 'login', token: REFRESH, token_type_hint: 'refresh_token' },
    { client_id: 'login', token: ACCESS, token_type_hint: 'access_token' },
  ]);
});

it('a refresh token that came without a session is revoked too; one of another issuer goes nowhere', async () => {
  await world.store.delete(['session', 'access_token']);
  expect(await signOut()).toMatchObject({
    user: undefined,
    hadTokens: true,
    revoked: true,
    warning: undefined,
  });
  expect(world.provider.revocations).toEqual([
    { client_id: 'login', token: REFRESH, token_type_hint: 'refresh_token' },
  ]);
  await world.signedIn({ issuer: 'https://id.example' });
  expect((await signOut()).warning).toContain('it belongs to another identity provider');
  expect(world.provider.revocations).toHaveLength(1);
});

it('a provider that revokes no access tokens is taken at its word, without a warning', async () => {
  world.provider.lies.revoke = (form) =>
    form.token_type_hint === 'access_token' ? oauthError(400, 'unsupported_token_type') : undefined;
  expect(await signOut()).toMatchObject({
    revoked: true,
    unrevoked: [{ token: 'access_token', unsupported: true }],
    warning: undefined,
  });
});

it('an access token that could not be revoked is told, and when it ends', async () => {
  world.provider.lies.revoke = (form) =>
    form.token_type_hint === 'access_token' ? oauthError(400, 'invalid_request') : undefined;
  const { revoked, warning } = await signOut();
  expect(revoked).toBe(true);
  expect(warning).toContain('the access token could not be revoked (it responded with invalid_request)');
  expect(warning).toContain('2030-01-01T00:00:00.000Z');
});

it.each<[string, () => unknown, string]>([
  ['away', () => world.provider.close(), "it can't be reached"],
  [
    'out of order',
    () => world.lie({ revoke: () => new Response('', { status: 503 }) }),
    'it responded with HTTP status 503',
  ],
  [
    'without a revocation endpoint',
    () => world.lie({ metadata: ({ revocation_endpoint: _, ...rest }) => rest }),
    'it does not support revocation',
  ],
])('a provider that is %s leaves both tokens listed as not revoked', async (_, arrange, reason) => {
  await arrange();
  const { revoked, unrevoked, warning } = await signOut();
  expect(revoked).toBe(false);
  expect(unrevoked.map(({ token }) => token)).toEqual(['refresh_token', 'access_token']);
  expect(warning).toContain(reason);
  expect(warning).toContain('The access token expires by itself at 2030-01-01T00:00:00.000Z');
  // Nobody waits for it twice.
  expect(world.provider.revocations.length).toBeLessThanOrEqual(1);
});

it('a redirect of the revocation endpoint is not followed', async () => {
  world.provider.lies.revoke = () =>
    new Response('', { status: 307, headers: { location: `${world.provider.issuer}/elsewhere` } });
  expect((await signOut()).unrevoked).toHaveLength(2);
  expect(world.provider.elsewhere()).toBe(0);
});

const oauthError = (status: number, error: string) => Response.json({ error }, { status });
