import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSignedInUser } from '../../../src/auth/session/stored-session.ts';
import { badIdTokens } from './bad-id-tokens.ts';
import { hastyClock } from './identity-provider-world.ts';
import { type LyingWorld, startLyingWorld } from './lying-provider.ts';

let world: LyingWorld;
beforeEach(async () => {
  world = await startLyingWorld();
});
afterEach(() => world.close());

/** Why a sign-in is refused: nothing is stored, and no secret told. */
async function refusedLogin() {
  const error = await world.login().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: 'provider_error' });
  expect(await readSignedInUser(world.profile, world.store)).toBeUndefined();
  expect(await world.store.get(['refresh_token'])).toEqual({});
  const { stack = '', cause } = error as Error;
  const text = `${JSON.stringify(error)} ${stack} ${JSON.stringify(cause)}`;
  expect(text).not.toMatch(/planted-|device-code|auth-req-id/);
}

describe('a sign-in', () => {
  it('is accepted from the provider when it tells the truth', async () => {
    expect(await world.login()).toMatchObject({ sub: 'alice', name: 'Alice' });
  });

  it.each(badIdTokens)('is refused with an ID token %s', async (_, lies) => {
    world.lie(await lies(world.provider));
    await refusedLogin();
  });

  it.each([['id_token'], ['refresh_token'], ['access_token']])('is refused without %s', async (name) => {
    world.lie({ token: ({ [name]: _, ...answer }) => answer });
    await refusedLogin();
  });

  it('does not start with terminal codes in its user code', async () => {
    world.lie({ device: (answer) => ({ ...answer, user_code: 'AB\u001b[2J' }) });
    await refusedLogin();
  });

  it('shows no control characters of a name that somebody chose', async () => {
    world.lie({ claims: (claims) => ({ ...claims, name: 'Al\u001b[31mice\u202e' }) });
    expect((await world.login()).name).toBe('Alice');
  });

  it('survives keys that can’t be fetched at first', async () => {
    world.lie({ brokenKeys: 2 });
    expect(await world.login()).toMatchObject({ sub: 'alice' });
  });

  it.each([
    ['access_denied', 'login_denied'],
    ['expired_token', 'login_expired'],
    ['invalid_grant', 'login_expired'],
    ['unauthorized_client', 'provider_error'],
  ])('that ends with %s is %s, and never asked about again', async (error, code) => {
    world.lie({ tokenError: { status: 400, body: JSON.stringify({ error }) } });
    await expect(world.login()).rejects.toMatchObject({ code });
    expect(world.provider.tokenRequests()).toBe(1);
  });

  it('waits longer by five seconds each time it is told to slow down', async () => {
    world.lie({ tokenError: { status: 400, body: JSON.stringify({ error: 'slow_down' }) } });
    const pauses: number[] = [];
    const clock = {
      ...hastyClock,
      sleep: async (ms: number) => {
        pauses.push(ms);
        if (pauses.length === 3) delete world.provider.lies.tokenError;
      },
    };
    await world.login({ clock });
    expect(pauses).toEqual([1000, 6000, 11_000]);
  });
});

it('the metadata of another issuer is refused', async () => {
  world.lie({ metadata: (metadata) => ({ ...metadata, issuer: 'https://evil.example' }) });
  await refusedLogin();
  expect(world.provider.tokenRequests()).toBe(0);
});
