import { decodeJwt } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { READ_SCOPES } from '../../../src/oauth/scopes.ts';
import type { PersonCredentialStore } from '../../../src/server/sessions/exchanging-sessions.ts';
import { memoryCredentials } from './memory-credentials.ts';
import { callerOf, createServerWorld, type Laptop, type ServerWorld } from './server-world.ts';

const OFFLINE = 'openid offline_access market:read portfolio:read orders:read orders:propose';

let world: ServerWorld;
beforeAll(async () => {
  world = await createServerWorld();
});
afterAll(() => world?.close());
beforeEach(() => {
  world.sent.length = 0;
});

const clockOf = async (
  session: { fetch: (...given: never[]) => Promise<Response> },
  scopes = READ_SCOPES as readonly string[],
) =>
  (
    await (session.fetch as (...given: unknown[]) => Promise<Response>)(
      `${world.sandbox.ready.gateway}/v1/clock`,
      {},
      scopes,
    )
  ).status;
const seen = (laptop: Laptop) => world.sessions.forCaller(laptop.caller(), laptop.tokens.access_token);
const exchanges = () => world.sent.filter(({ url }) => url.endsWith('/token')).length;
/** What was brought is over in so long, as it is ten minutes later. */
async function lapse(credentials: (person: string) => PersonCredentialStore, person: string, inMs = -1) {
  const { subject_token = '{}' } = await credentials(person).get(['subject_token']);
  await credentials(person).set({
    subject_token: JSON.stringify({ ...JSON.parse(subject_token), expiresAt: Date.now() + inMs }),
  });
}
/** With what the gateway's clock takes, so that it says whether the token is good. */
const CANCEL = ['market:read', 'orders:cancel'];
const PROPOSE = ['market:read', 'orders:propose'];

describe('a session of whoever calls', () => {
  it('acts in their name, for reading with one token and for anything more with exactly what it takes', async () => {
    const session = await seen(await world.laptop());
    expect(session.user.sub).toBe('alice');
    expect(await clockOf(session, ['market:read'])).toBe(200);
    expect(await clockOf(session, ['orders:read'])).toBe(200);
    expect(await clockOf(session, CANCEL)).toBe(200);
    expect(exchanges()).toBe(2);
    const scopes = world.sent
      .filter(({ url }) => url.endsWith('/v1/clock'))
      .map(({ headers }) => decodeJwt(headers.get('authorization')?.slice('DPoP '.length) ?? '').scope);
    const reading = READ_SCOPES.join(' ');
    expect(scopes).toEqual([reading, reading, CANCEL.join(' ')]);
  });

  it('is the same for the same token, so that what was exchanged serves again', async () => {
    const laptop = await world.laptop();
    await clockOf(await seen(laptop));
    await clockOf(await seen(laptop));
    expect(exchanges()).toBe(1);
  });

  it('ends with the sign-in', async () => {
    const laptop = await world.laptop();
    const session = await seen(laptop);
    expect(await clockOf(session)).toBe(200);
    await laptop.end();
    await expect(clockOf(session)).rejects.toMatchObject({ code: 'login_required' });
    await expect(clockOf(await seen(laptop))).rejects.toMatchObject({ code: 'login_required' });
  });

  it('sends nothing to any other address than the gateway’s', async () => {
    const session = await seen(await world.laptop());
    await expect(session.fetch('https://elsewhere.example/v1/clock', {}, READ_SCOPES)).rejects.toMatchObject({
      code: 'internal',
    });
  });
});

describe('a session of who has called', () => {
  it('goes on by what they brought, in another process too, and not when that is over', async () => {
    const credentials = memoryCredentials();
    const [server, worker] = [world.sessionsOver(credentials), world.sessionsOver(credentials)];
    await expect(worker.forPerson('alice')).rejects.toMatchObject({ code: 'login_required' });
    const laptop = await world.laptop();
    await server.forCaller(laptop.caller(), laptop.tokens.access_token);
    expect(await clockOf(await worker.forPerson('alice'))).toBe(200);
    await expect(worker.forPerson('bob')).rejects.toMatchObject({ code: 'login_required' });
    await lapse(credentials, 'alice');
    await expect(worker.forPerson('alice')).rejects.toMatchObject({ code: 'login_required' });
  });

  it('is not cut down by a later request that may only read', async () => {
    const credentials = memoryCredentials();
    const sessions = world.sessionsOver(credentials);
    const whole = await world.laptop();
    await sessions.forCaller(whole.caller(), whole.tokens.access_token);
    const reader = await world.laptop('alice', `openid ${READ_SCOPES.join(' ')}`);
    const reading = await sessions.forCaller(reader.caller(), reader.tokens.access_token);
    expect(await clockOf(await sessions.forPerson('alice'), CANCEL)).toBe(200);
    await expect(clockOf(reading, CANCEL)).rejects.toMatchObject({ code: 'insufficient_scope' });
  });

  it.each([
    ['ends when it does', 0],
    ['ends a minute before it', 60_000],
  ])('is not held up by an earlier request that may only read, whose token %s', async (_, earlier) => {
    const sessions = world.sessionsOver(memoryCredentials());
    const reader = await world.laptop('alice', `openid ${READ_SCOPES.join(' ')}`);
    await sessions.forCaller(reader.caller(), reader.tokens.access_token);
    const whole = await world.laptop();
    const expiresAt = reader.caller().expiresAt - earlier;
    await sessions.forCaller({ ...whole.caller(), expiresAt }, whole.tokens.access_token);
    expect(await clockOf(await sessions.forPerson('alice'), CANCEL)).toBe(200);
  });

  it('is over where the sign-in was ended meanwhile', async () => {
    const sessions = world.sessionsOver(memoryCredentials());
    const laptop = await world.laptop();
    await sessions.forCaller(laptop.caller(), laptop.tokens.access_token);
    const session = await sessions.forPerson('alice');
    expect(await clockOf(session)).toBe(200);
    await laptop.end();
    await expect(clockOf(session)).rejects.toMatchObject({ code: 'login_required' });
    await expect(sessions.forPerson('alice')).rejects.toMatchObject({ code: 'login_required' });
  });
});

describe('an order with live money', () => {
  const live = async () => {
    const credentials = memoryCredentials();
    const sessions = world.sessionsOver(credentials, { environment: 'live' });
    /** Of a sign-in so many seconds ago, by what its token says. */
    const signedIn = async (ago: number | undefined) => {
      const { access_token } = (await world.laptop()).tokens;
      const authTime = ago === undefined ? undefined : Math.floor(Date.now() / 1000) - ago;
      return await sessions.forCaller({ ...callerOf(access_token), authTime }, access_token);
    };
    return { credentials, signedIn };
  };
  const stale = { code: 'login_required', message: expect.stringContaining('fresh sign-in') };

  it('takes a sign-in that is fresh, the first time', async () => {
    const { credentials, signedIn } = await live();
    const session = await signedIn(800);
    expect(await clockOf(session, PROPOSE)).toBe(200);
    const { session: kept = '' } = await credentials('alice').get(['session']);
    expect(JSON.parse(kept)).toMatchObject({ live: true, signed_in_at: expect.any(Number) });
  });

  it('takes an older one that has shown it was fresh', async () => {
    const { credentials, signedIn } = await live();
    const session = await signedIn(3600);
    await expect(clockOf(session, PROPOSE)).rejects.toMatchObject(stale);
    const { session: kept = '' } = await credentials('alice').get(['session']);
    await credentials('alice').set({ session: JSON.stringify({ ...JSON.parse(kept), live: true }) });
    expect(await clockOf(session, PROPOSE)).toBe(200);
  });

  it.each([
    ['an older one', 1000],
    ['one whose moment no token tells', undefined],
  ])('is refused by %s, whatever another sign-in has shown', async (_, ago) => {
    const { signedIn } = await live();
    expect(await clockOf(await signedIn(10), PROPOSE)).toBe(200);
    await expect(clockOf(await signedIn(ago), PROPOSE)).rejects.toMatchObject(stale);
  });
});

describe('what was brought', () => {
  const leftWith = async (ms: number) => {
    const credentials = memoryCredentials();
    const sessions = world.sessionsOver(credentials);
    const laptop = await world.laptop();
    await sessions.forCaller(laptop.caller(), laptop.tokens.access_token);
    await lapse(credentials, 'alice', ms);
    return async () => await clockOf(await sessions.forPerson('alice'));
  };

  it('serves until it ends: nobody who is there is taken for away', async () => {
    expect(await (await leftWith(20_000))()).toBe(200);
  });

  it('does not serve where it would end on its way', async () => {
    await expect((await leftWith(1_000))()).rejects.toMatchObject({ code: 'login_required' });
  });
});

describe('a grant for when they are away', () => {
  const granted = async (user = 'alice') => {
    const credentials = memoryCredentials();
    const sessions = world.sessionsOver(credentials);
    const laptop = await world.laptop(user, OFFLINE);
    await sessions.grantOffline(laptop.caller(), laptop.tokens.access_token);
    return { credentials, sessions, laptop };
  };

  it('is refused where they did not allow it, with what to do', async () => {
    const laptop = await world.laptop();
    await expect(world.sessions.grantOffline(laptop.caller(), laptop.tokens.access_token)).rejects.toMatchObject({
      code: 'insufficient_scope',
      hint: expect.stringContaining('Sign in to the server'),
    });
  });

  it('goes on when what they brought is over, and after they signed out', async () => {
    const { sessions, credentials, laptop } = await granted();
    await laptop.end();
    await lapse(credentials, 'alice');
    const session = await sessions.forPerson('alice');
    expect(await clockOf(session)).toBe(200);
    expect(await clockOf(session, PROPOSE)).toBe(200);
    await expect(clockOf(session, CANCEL)).rejects.toMatchObject({ code: 'insufficient_scope' });
  });

  it('is asked for once', async () => {
    const { sessions, laptop } = await granted();
    const before = exchanges();
    await sessions.grantOffline(laptop.caller(), laptop.tokens.access_token);
    expect(exchanges()).toBe(before);
  });

  it('is got for a run that is under way, by what the person’s last request brought', async () => {
    const credentials = memoryCredentials();
    const sessions = world.sessionsOver(credentials);
    await expect(sessions.grantOfflineTo('alice')).rejects.toMatchObject({ code: 'login_required' });
    const laptop = await world.laptop('alice', OFFLINE);
    await sessions.forCaller(laptop.caller(), laptop.tokens.access_token);
    await sessions.grantOfflineTo('alice');
    await laptop.end();
    await lapse(credentials, 'alice');
    expect(await clockOf(await sessions.forPerson('alice'))).toBe(200);
  });

  it('ends when the server ends it, at the provider too', async () => {
    const { sessions, credentials } = await granted('bob');
    const { refresh_token } = await credentials('bob').get(['refresh_token']);
    await sessions.revokeOffline('bob');
    await sessions.revokeOffline('bob');
    await credentials('bob').delete(['subject_token']);
    await expect(sessions.forPerson('bob')).rejects.toMatchObject({ code: 'login_required' });
    // Somebody who has kept a copy has nothing by it.
    await credentials('bob').set({ refresh_token: refresh_token ?? '' });
    await expect(clockOf(await sessions.forPerson('bob'))).rejects.toMatchObject({ code: 'login_required' });
  });

  it('is no way around a provider that has none', async () => {
    const sessions = world.sessionsOver(memoryCredentials(), { provider: 'keycloak' });
    const laptop = await world.laptop('alice', OFFLINE);
    await expect(sessions.grantOffline(laptop.caller(), laptop.tokens.access_token)).rejects.toMatchObject({
      code: 'provider_error',
    });
    expect(exchanges()).toBe(0);
  });
});

it('a provider that does not let the server exchange says what to set there', async () => {
  const sessions = world.sessionsOver(memoryCredentials(), { login_client: { client_id: 'trade-agent' } });
  const laptop = await world.laptop();
  const session = await sessions.forCaller(laptop.caller(), laptop.tokens.access_token);
  await expect(clockOf(session)).rejects.toMatchObject({ code: 'provider_error' });
});

// Measured: Keycloak 26.4.7 and 26.7.3.
it.each([
  ['Invalid token', { code: 'login_required' }],
  [
    'Sender-constrained token exchange rejected as the token was not issued for the requesting client',
    { code: 'provider_error', hint: expect.stringContaining('26.7') },
  ],
])('Keycloak’s "%s" is told for what it is, and it is asked for no audience', async (description, error) => {
  const asked: URLSearchParams[] = [];
  const keycloak: typeof fetch = async (url, init) => {
    if (!String(url).endsWith('/token')) return await fetch(url, init);
    asked.push(new URLSearchParams(String(init?.body)));
    return Response.json({ error: 'invalid_request', error_description: description }, { status: 400 });
  };
  const laptop = await world.laptop();
  const sessions = world.sessionsOver(memoryCredentials(), { provider: 'keycloak' }, keycloak);
  const session = await sessions.forCaller(laptop.caller(), laptop.tokens.access_token);
  await expect(clockOf(session)).rejects.toMatchObject(error);
  expect(asked.map((form) => [form.has('subject_token'), form.has('audience')])).toEqual([[true, false]]);
});
