import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { logout } from '../../../src/auth/logout.ts';
import { beginDeviceLogin } from '../../../src/auth/session/device-login.ts';
import { readSignedInUser } from '../../../src/auth/session/stored-session.ts';
import { openSession } from '../../../src/auth/session/token-session.ts';
import { TradeAgentError } from '../../../src/errors/errors.ts';
import type { CredentialStore } from '../../../src/secrets/credential-store.ts';
import { createWorld, hastyClock, type World } from './identity-provider-world.ts';

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

const soon = () => AbortSignal.timeout(20_000);
const begin = (options: Parameters<typeof beginDeviceLogin>[2] = {}, store = world.store) =>
  beginDeviceLogin(world.profile, store, { home: world.home, clock: hastyClock, ...options });
const read = async () =>
  (await openSession(world))?.fetch(`${world.profile.gateway}/v1/account`, {}, ['portfolio:read']);

describe('a sign-in', () => {
  it('shows a code and an address, names the machine, and ends with the user and a session', async () => {
    const login = await begin({ deviceName: 'my läptop' });
    expect(login.user_code).toMatch(/^[A-Z0-9-]{6,}$/);
    expect(login.verification_uri).toBe(`${world.profile.issuer}/device`);
    expect(login.verification_uri_complete).toContain(login.user_code);
    expect(login.expiresAt).toBeGreaterThan(Date.now());
    const shown = await world.phone.completeDevice('alice', login.user_code);
    expect(shown.device_name).toBe('my l?ptop');
    expect(shown.scopes).toContain('orders:cancel');
    expect(shown.scopes).not.toContain('orders:write');
    expect(await login.complete(soon())).toEqual({
      sub: 'alice',
      name: 'Alice Example',
      email: 'alice@sandbox.example',
    });
    expect((await read())?.status).toBe(200);
  });

  it('asks for who the user is also when only the gateway’s scopes are named', async () => {
    const login = await begin({ scopes: ['market:read'] });
    await world.phone.completeDevice('alice', login.user_code);
    expect(await login.complete(soon())).toMatchObject({ sub: 'alice', name: 'Alice Example' });
  });

  it('goes on through the loss of the network, 5xx answers and a decision that takes its time', async () => {
    world.faults.set('idp_5xx', 2);
    let polls = 0;
    const clock = {
      now: Date.now,
      monotonic: Date.now,
      // Each step happens between two polls.
      sleep: async () => {
        polls += 1;
        if (polls === 2) await world.unplug();
        if (polls === 3) await world.plug();
        if (polls === 6) await world.phone.completeDevice('alice', login.user_code);
      },
    };
    const login = await begin({ clock });
    expect(await login.complete(soon())).toMatchObject({ sub: 'alice' });
    expect(polls).toBe(6);
  });

  it('that nobody confirms ends at its own deadline, without another question', async () => {
    let now = Date.now();
    const clock = {
      now: () => now,
      monotonic: () => now,
      sleep: async (ms: number) => {
        now += ms;
      },
    };
    const login = await begin({ clock });
    await world.unplug();
    await expect(login.complete(soon())).rejects.toMatchObject({ code: 'login_expired' });
    expect(now).toBe(login.expiresAt);
    await world.plug();
  });

  it('that is abandoned stops with the caller’s reason', async () => {
    const login = await begin();
    const stop = new AbortController();
    const done = login.complete(stop.signal);
    stop.abort(new Error('enough'));
    await expect(done).rejects.toThrow('enough');
    expect(await readSignedInUser(world.profile, world.store)).toBeUndefined();
  });

  it('does not start when its session could not be kept', async () => {
    const locked = new TradeAgentError('credential_store_locked', 'the keychain is locked');
    const store: CredentialStore = { ...world.store, probe: () => Promise.reject(locked) };
    await expect(begin({}, store)).rejects.toBe(locked);
    expect(world.asked).toEqual([]);
  });

  it('does not start when the provider is away', async () => {
    await world.unplug();
    await expect(begin()).rejects.toMatchObject({
      code: 'provider_unreachable',
      message: expect.stringContaining(world.profile.issuer),
    });
    await world.plug();
  });

  it('in the place of another ends that one at the provider, and keeps the machine’s key', async () => {
    await world.login('bob');
    const before = await world.store.get(['refresh_token', 'dpop_key']);
    world.asked.length = 0;
    await world.login('alice');
    expect(world.asked.map(({ path }) => path)).toContain('/revoke');
    const after = await world.store.get(['refresh_token', 'dpop_key']);
    expect(after.dpop_key).toBe(before.dpop_key);
    expect(after.refresh_token).not.toBe(before.refresh_token);
    await world.store.set({ refresh_token: before.refresh_token ?? '' });
    await expect(read()).rejects.toMatchObject({ code: 'login_required' });
  });
});

describe('a sign-out', () => {
  it('ends the session here and at the provider, and keeps the approval client', async () => {
    await world.login();
    await world.store.set({ company_key: 'kept', database_key: 'kept' });
    const {
      refresh_token = '',
      session = '',
      dpop_key = '',
    } = await world.store.get(['refresh_token', 'session', 'dpop_key']);
    expect(await logout(world)).toEqual({
      user: { sub: 'alice', name: 'Alice Example', email: 'alice@sandbox.example' },
      hadTokens: true,
      revoked: true,
      unrevoked: [],
      warning: undefined,
    });
    expect(await openSession(world)).toBeUndefined();
    expect(await world.store.get(['company_key', 'database_key', 'dpop_key', 'access_token'])).toEqual({
      company_key: 'kept',
      database_key: 'kept',
    });
    // Even somebody who kept a copy of everything is out.
    await world.store.set({ refresh_token, session, dpop_key });
    await expect(read()).rejects.toMatchObject({ code: 'login_required' });
  });

  it('ends the session here also when the provider is away, and says that its side is open', async () => {
    await world.login();
    await world.unplug();
    const result = await logout(world);
    expect(result.revoked).toBe(false);
    expect(result.warning).toContain('could not be ended at the identity provider');
    expect(result.unrevoked.map(({ token }) => token)).toEqual(['refresh_token']);
    expect(await openSession(world)).toBeUndefined();
    await world.plug();
  });

  it('forgets the key of the company’s client when asked to, never the database key', async () => {
    await world.login();
    await world.store.set({ company_key: 'x', database_key: 'kept' });
    await logout({ ...world, forgetClients: true });
    expect(await world.store.get(['company_key', 'database_key'])).toEqual({ database_key: 'kept' });
  });

  it('of nobody is harmless', async () => {
    expect(await logout(world)).toEqual({
      user: undefined,
      hadTokens: false,
      revoked: true,
      unrevoked: [],
      warning: undefined,
    });
    expect(world.asked).toEqual([]);
  });

  it('sends no token to an issuer it does not come from', async () => {
    await world.login();
    const profile = { ...world.profile, issuer: 'https://id.evil.example' };
    const result = await logout({ ...world, profile, fetch: () => Promise.reject(new Error('asked')) });
    expect(result).toMatchObject({ user: undefined, revoked: false });
    expect(await world.store.get(['refresh_token'])).toEqual({});
  });
});
