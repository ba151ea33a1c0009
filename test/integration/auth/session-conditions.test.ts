import { decodeJwt } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openConnectedAccounts } from '../../../src/auth/connections/open-connected-accounts.ts';
import { beginDeviceLogin } from '../../../src/auth/session/device-login.ts';
import { refreshAccessToken } from '../../../src/auth/session/token-refresh.ts';
import { READ_SCOPES } from '../../../src/oauth/scopes.ts';
import { openFileStore } from '../../../src/secrets/file/file-store.ts';
import { hastyClock } from './identity-provider-world.ts';
import { type LyingWorld, startLyingWorld } from './lying-provider.ts';

let world: LyingWorld;
beforeEach(async () => {
  world = await startLyingWorld();
});
afterEach(() => world.close());

/** This machine's clock, so many seconds ahead of the provider's; waits are short. */
const clockAhead = (seconds: number) => ({ ...hastyClock, now: () => hastyClock.now() + seconds * 1000 });

const refresh = (clock = hastyClock) =>
  refreshAccessToken({ ...world, clock, sub: 'alice', access: { clock } }, READ_SCOPES);

describe('a provider that wants a nonce in proofs', () => {
  it('gets it at sign-in and at renewal, each asked for once', async () => {
    world.provider.lies.nonceFor = () => 'nonce-1';
    expect(await world.login()).toMatchObject({ sub: 'alice' });
    expect(world.provider.tokenRequests()).toBe(2);
    await world.signedIn();
    expect(await refresh()).toMatchObject({ sub: 'alice', type: 'dpop' });
    expect(world.provider.tokenRequests()).toBe(4);
  });

  it('gets it at its API for accounts elsewhere too, with the next request as well', async () => {
    await world.signedIn();
    const proofs: unknown[] = [];
    world.provider.lies.metadata = (metadata) => ({
      ...metadata,
      connected_accounts_endpoint: `${world.provider.issuer}/me`,
    });
    world.provider.lies.instead = {
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
    const { accounts } = await openConnectedAccounts(world.profile, world.store, world);
    expect([await accounts.list(), await accounts.list()]).toEqual([[], []]);
    expect(proofs).toEqual([undefined, 'nonce-2', 'nonce-2']);
  });

  it('and another with each answer is not asked for ever; the session stays', async () => {
    await world.signedIn();
    let count = 0;
    world.provider.lies.nonceFor = () => `nonce-${count++}`;
    await expect(refresh()).rejects.toMatchObject({ code: 'provider_error' });
    expect(world.provider.tokenRequests()).toBe(2);
    expect((await world.store.get(['refresh_token'])).refresh_token).toBe('planted-refresh-token-1812');
  });
});

describe('a clock that is off', () => {
  it.each([-45, 45])('by %s seconds does no harm', async (seconds) => {
    expect(await world.login({ clock: clockAhead(seconds) })).toMatchObject({ sub: 'alice' });
    const token = await refresh(clockAhead(seconds));
    // By this machine's own clock, whatever that says.
    expect(token.expiresAt - clockAhead(seconds).now()).toBeGreaterThan(290_000);
  });

  it.each([-300, 300])('by %s seconds is reported, and the ID token is judged by the provider’s', async (seconds) => {
    const started = await beginDeviceLogin(world.profile, world.store, { clock: clockAhead(seconds) });
    expect(Math.abs(started.clockSkew - seconds)).toBeLessThan(10);
    expect(await started.complete(AbortSignal.timeout(20_000))).toMatchObject({ sub: 'alice' });
  });
});

describe('several users and profiles', () => {
  it('of one provider never get each other’s tokens', async () => {
    const others = openFileStore({ folder: world.folder, profile: 'other' });
    await world.signedIn();
    await world.signedIn({ sub: 'bob', refresh_token: 'planted-refresh-token-of-bob', into: others });
    world.provider.lies.claims = (claims) => ({ ...claims, sub: 'bob' });
    const bob = {
      profile: { ...world.profile, name: 'other' },
      store: others,
      clock: hastyClock,
      sub: 'bob',
    };
    const ofBob = await refreshAccessToken({ ...bob, access: {} }, READ_SCOPES);
    expect(ofBob.sub).toBe('bob');
    // Alice's own is still what it was; and a session opened for alice does not go on as bob's.
    expect(await world.store.get(['refresh_token', 'access_token'])).toEqual({
      refresh_token: 'planted-refresh-token-1812',
    });
    await expect(refreshAccessToken({ ...bob, sub: 'alice', access: {} }, READ_SCOPES)).rejects.toMatchObject({
      code: 'login_required',
    });
  });
});
