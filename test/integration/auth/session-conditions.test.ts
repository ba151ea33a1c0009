import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openConnectedAccounts } from '../../../src/auth/connections/open-connected-accounts.ts';
import { beginDeviceLogin } from '../../../src/auth/session/device-login.ts';
import { generatePrivateJwk } from '../../../src/auth/session/dpop-key.ts';
import { refreshAccessToken } from '../../../src/auth/session/token-refresh.ts';
import { profileSchema, type ResolvedProfile } from '../../../src/config/profile.ts';
import { READ_SCOPES } from '../../../src/oauth/scopes.ts';
import type { CredentialStore } from '../../../src/secrets/credential-store.ts';
import { openFileStore } from '../../../src/secrets/file/file-store.ts';
import { hastyClock } from './identity-provider-world.ts';
import { type LyingProvider, startLyingProvider } from './lying-provider.ts';

const GATEWAY = 'http://127.0.0.1:1';

let provider: LyingProvider;
let folder: string;
let profile: ResolvedProfile;
let store: CredentialStore;
beforeEach(async () => {
  provider = await startLyingProvider();
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-conditions-'));
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

/** This machine's clock, so many seconds ahead of the provider's; waits are short. */
const clockAhead = (seconds: number) => ({ ...hastyClock, now: () => hastyClock.now() + seconds * 1000 });

async function login(clock = hastyClock) {
  return await (await beginDeviceLogin(profile, store, { clock })).complete(soon());
}

async function signedIn(): Promise<void> {
  await store.set({
    session: JSON.stringify({
      issuer: provider.issuer,
      client_id: 'login',
      sub: 'alice',
      scopes: READ_SCOPES,
    }),
    refresh_token: 'planted-refresh-token-1812',
    dpop_key: JSON.stringify(await generatePrivateJwk()),
  });
}

async function refresh(clock = hastyClock) {
  return await refreshAccessToken({ profile, store, clock, sub: 'alice', access: { clock } }, READ_SCOPES);
}

describe('a provider that wants a nonce in proofs', () => {
  it('gets it at sign-in and at renewal, each asked for once', async () => {
    provider.lies.nonceFor = () => 'nonce-1';
    expect(await login()).toMatchObject({ sub: 'alice' });
    expect(provider.tokenRequests()).toBe(2);
    await signedIn();
    expect(await refresh()).toMatchObject({ sub: 'alice', type: 'dpop' });
    expect(provider.tokenRequests()).toBe(4);
  });

  it('gets it at its API for accounts elsewhere too, with the next request as well', async () => {
    await signedIn();
    const proofs: unknown[] = [];
    provider.lies.metadata = (metadata) => ({
      ...metadata,
      connected_accounts_endpoint: `${provider.issuer}/me`,
    });
    provider.lies.instead = {
      '/me/accounts': (request) => {
        proofs.push(decodeJwt(request.headers.get('dpop') ?? '').nonce);
        return proofs.at(-1) === 'nonce-2'
          ? Response.json({ accounts: [] })
          : new Response('', {
              status: 401,
              headers: { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': 'nonce-2' },
            });
      },
    };
    const home = { config: folder, data: folder, log: folder, sandbox: folder };
    const { accounts } = await openConnectedAccounts(profile, store, { home });
    expect([await accounts.list(), await accounts.list()]).toEqual([[], []]);
    expect(proofs).toEqual([undefined, 'nonce-2', 'nonce-2']);
  });

  it('and another with each answer is not asked for ever; the session stays', async () => {
    await signedIn();
    let count = 0;
    provider.lies.nonceFor = () => `nonce-${count++}`;
    await expect(refresh()).rejects.toMatchObject({ code: 'provider_error' });
    expect(provider.tokenRequests()).toBe(2);
    expect((await store.get(['refresh_token'])).refresh_token).toBe('planted-refresh-token-1812');
  });
});

describe('a clock that is off', () => {
  it.each([-45, 45])('by %s seconds does no harm', async (seconds) => {
    expect(await login(clockAhead(seconds))).toMatchObject({ sub: 'alice' });
    const token = await refresh(clockAhead(seconds));
    // By this machine's own clock, whatever that says.
    expect(token.expiresAt - clockAhead(seconds).now()).toBeGreaterThan(290_000);
  });

  it.each([-300, 300])(
    'by %s seconds is reported, and the ID token is judged by the provider’s',
    async (seconds) => {
      const started = await beginDeviceLogin(profile, store, { clock: clockAhead(seconds) });
      expect(Math.abs(started.clockSkew - seconds)).toBeLessThan(10);
      expect(await started.complete(soon())).toMatchObject({ sub: 'alice' });
    },
  );
});

describe('several users and profiles', () => {
  it('of one provider never get each other’s tokens', async () => {
    const others = openFileStore({ folder, profile: 'other' });
    await signedIn();
    await others.set({
      session: JSON.stringify({
        issuer: provider.issuer,
        client_id: 'login',
        sub: 'bob',
        scopes: READ_SCOPES,
      }),
      refresh_token: 'planted-refresh-token-of-bob',
      dpop_key: JSON.stringify(await generatePrivateJwk()),
    });
    provider.lies.claims = (claims) => ({ ...claims, sub: 'bob' });
    const bob = { profile: { ...profile, name: 'other' }, store: others, clock: hastyClock, sub: 'bob' };
    const ofBob = await refreshAccessToken({ ...bob, access: {} }, READ_SCOPES);
    expect(ofBob.sub).toBe('bob');
    // Alice's own is still what it was; and a session opened for alice does not go on as bob's.
    expect(await store.get(['refresh_token', 'access_token'])).toEqual({
      refresh_token: 'planted-refresh-token-1812',
    });
    await expect(refreshAccessToken({ ...bob, sub: 'alice', access: {} }, READ_SCOPES)).rejects.toMatchObject(
      { code: 'login_required' },
    );
  });
});
