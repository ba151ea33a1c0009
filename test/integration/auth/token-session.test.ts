import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { calculateJwkThumbprint, decodeJwt, decodeProtectedHeader, type JWK, jwtVerify } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readSignedInUser } from '../../../src/auth/session/stored-session.ts';
import { openSession } from '../../../src/auth/session/token-session.ts';
import { listenOnLoopback } from '../../../src/net/http-server.ts';
import { READ_SCOPES } from '../../../src/oauth/scopes.ts';
import { openFileStore } from '../../../src/secrets/file/file-store.ts';
import { asHere } from '../../shipped/modules.ts';
import { createWorld, type World } from './identity-provider-world.ts';

let world: World;
beforeEach(async () => {
  world = await createWorld();
});
afterEach(() => world.close());

const READ = ['portfolio:read'];
const url = (path = '/v1/account') => `${world.profile.gateway}${path}`;
const exchanges = () => world.asked.filter(({ path }) => path === '/token').length;
const token = (request: { authorization: string | undefined } | undefined) =>
  decodeJwt(request?.authorization?.split(' ')[1] ?? '');

async function open(options: Partial<Parameters<typeof openSession>[0]> = {}) {
  const session = await openSession({ ...world, ...options });
  if (session === undefined) throw new Error('nobody is signed in');
  return session;
}

describe('before anyone has signed in', () => {
  it('there is no session and no user', async () => {
    expect(await openSession(world)).toBeUndefined();
    expect(await readSignedInUser(world.profile, world.store)).toBeUndefined();
  });
});

describe('a session', () => {
  beforeEach(async () => {
    await world.login();
    world.asked.length = 0;
  });

  it('knows its user', async () => {
    const alice = { sub: 'alice', name: 'Alice Example', email: 'alice@sandbox.example' };
    expect((await open()).user).toEqual(alice);
    expect(await readSignedInUser(world.profile, world.store)).toEqual(alice);
  });

  it('asks the gateway with a read-only token bound to its key, and a proof for just this request', async () => {
    const session = await open();
    expect((await session.fetch(url('/v1/quotes?symbols=AAPL'), { method: 'get' }, ['market:read'])).status).toBe(200);
    const [request] = world.received;
    const claims = token(request);
    expect(String(claims.scope).split(' ').sort()).toEqual([...READ_SCOPES].sort());
    expect(claims.aud).toBe(world.profile.audience);

    const proof = request?.dpop ?? '';
    const { jwk, typ } = decodeProtectedHeader(proof);
    expect(typ).toBe('dpop+jwt');
    expect(jwk).not.toHaveProperty('d');
    const { payload } = await jwtVerify(proof, jwk as JWK);
    expect(payload).toMatchObject({ htm: 'GET', htu: url('/v1/quotes'), ath: expect.any(String) });
    expect((claims.cnf as { jkt: string }).jkt).toBe(await calculateJwkThumbprint(jwk as JWK));
  });

  it('asks for exactly the scope of anything more than reading, and keeps that token in memory only', async () => {
    const session = await open();
    await session.fetch(url('/v1/orders/1'), { method: 'DELETE' }, ['orders:cancel']);
    await session.fetch(url('/v1/orders/2'), { method: 'DELETE' }, ['orders:cancel']);
    expect(world.received.map((request) => token(request).scope)).toEqual(['orders:cancel', 'orders:cancel']);
    expect(exchanges()).toBe(1);
    expect((await world.store.get(['access_token'], { fresh: true })).access_token).toBeUndefined();
  });

  it('that is opened again needs no identity provider while its token lasts', async () => {
    await (await open()).fetch(url(), {}, READ);
    await world.unplug();
    expect((await (await open()).fetch(url(), {}, READ)).status).toBe(200);
    await world.plug();
    expect(exchanges()).toBe(1);
  });

  it('renews a token that is about to end, not one that lasts', async () => {
    let now = Date.now();
    const clock = { now: () => now, monotonic: () => now, sleep: () => Promise.resolve() };
    const session = await open({ clock });
    await session.fetch(url(), {}, READ);
    now += 9 * 60_000;
    await session.fetch(url(), {}, READ);
    expect(exchanges()).toBe(1);
    now += 45_000;
    await session.fetch(url(), {}, READ);
    expect(exchanges()).toBe(2);
  });

  it.each([[READ], [['orders:cancel']]])('makes one exchange for many requests at once (%s)', async (scopes) => {
    const session = await open();
    await Promise.all(Array.from({ length: 8 }, () => session.fetch(url(), {}, scopes)));
    expect(world.received).toHaveLength(8);
    expect(exchanges()).toBe(1);
  });

  it('renews once when the gateway no longer takes the token, and then gives up', async () => {
    const session = await open();
    world.answers.push({ status: 401 });
    expect((await session.fetch(url(), {}, READ)).status).toBe(200);
    expect(exchanges()).toBe(2);
    expect(world.received[0]?.authorization).not.toBe(world.received[1]?.authorization);
    world.answers.push({ status: 401 }, { status: 401 }, { status: 401 });
    expect((await session.fetch(url(), {}, READ)).status).toBe(401);
    expect(world.answers).toHaveLength(1);
  });

  it('answers a nonce challenge once, with the nonce in the proof', async () => {
    const session = await open();
    const challenge = {
      status: 401,
      headers: { 'www-authenticate': 'DPoP error="use_dpop_nonce"', 'dpop-nonce': 'n-1' },
    };
    world.answers.push(challenge);
    expect((await session.fetch(url(), {}, READ)).status).toBe(200);
    expect(exchanges()).toBe(1);
    expect(decodeJwt(world.received[1]?.dpop ?? '').nonce).toBe('n-1');
  });

  it('sends its token to the gateway only', async () => {
    const session = await open();
    for (const elsewhere of ['https://evil.example/v1', `${world.profile.issuer}/v1`]) {
      await expect(session.fetch(elsewhere, {}, READ)).rejects.toMatchObject({ code: 'internal' });
    }
    expect(exchanges()).toBe(0);
  });

  it('follows no redirect', async () => {
    const session = await open();
    world.answers.push({ status: 307, headers: { location: `${world.profile.issuer}/elsewhere` } });
    await expect(session.fetch(url(), {}, READ)).rejects.toMatchObject({ code: 'gateway_unreachable' });
    expect(world.asked.filter(({ path }) => path === '/elsewhere')).toEqual([]);
  });

  it('gives up on a gateway that does not answer in time, saying that the request may have arrived', async () => {
    const session = await open({ timeoutMs: 300 });
    await session.fetch(url(), {}, READ);
    world.answers.push({ status: 200, delayMs: 1500 });
    await expect(session.fetch(url(), {}, READ)).rejects.toMatchObject({
      code: 'gateway_unreachable',
      details: { sent: true },
    });
  });

  it('tells a request that never arrived from one that may have', async () => {
    const closed = await listenOnLoopback(0, Date.now);
    await closed.close();
    const session = await open({ profile: { ...world.profile, gateway: closed.url } });
    await expect(session.fetch(`${closed.url}/v1/account`, {}, READ)).rejects.toMatchObject({
      code: 'gateway_unreachable',
      details: { sent: false },
    });
  });

  it('stops with the caller’s own reason when the caller stops it', async () => {
    const session = await open();
    world.answers.push({ status: 200, delayMs: 1500 });
    const stop = new AbortController();
    const answer = session.fetch(url(), { signal: stop.signal }, READ);
    stop.abort(new Error('enough'));
    await expect(answer).rejects.toThrow('enough');
  });

  it('that is read-only refuses everything but reading, without asking anyone', async () => {
    const session = await open({ readOnly: true });
    const refusal = { code: 'insufficient_scope' };
    await expect(session.fetch(url(), { method: 'DELETE' }, ['orders:cancel'])).rejects.toMatchObject(refusal);
    await expect(session.fetch(url(), { method: 'POST' }, ['orders:propose'])).rejects.toMatchObject(refusal);
    expect(exchanges() + world.received.length).toBe(0);
    expect((await session.fetch(url(), {}, READ)).status).toBe(200);
  });

  it('refuses a scope that was not granted at sign-in', async () => {
    const session = await open();
    await expect(session.fetch(url(), {}, ['orders:write'])).rejects.toMatchObject({
      code: 'insufficient_scope',
    });
    expect(exchanges()).toBe(0);
  });

  it('reports an unreachable identity provider, keeps the session, and works again later', async () => {
    const session = await open();
    await world.unplug();
    await expect(session.fetch(url(), {}, READ)).rejects.toMatchObject({ code: 'provider_unreachable' });
    await world.plug();
    expect((await session.fetch(url(), {}, READ)).status).toBe(200);
  });

  it('reports a provider that answers 5xx as unreachable and keeps the session', async () => {
    world.faults.set('idp_5xx', 1);
    const session = await open();
    await expect(session.fetch(url(), {}, READ)).rejects.toMatchObject({ code: 'provider_unreachable' });
    expect((await session.fetch(url(), {}, READ)).status).toBe(200);
  });

  it('that the provider has ended asks for a new sign-in, and is gone', async () => {
    await world.store.set({ refresh_token: 'planted-refresh-token-77' });
    const session = await open();
    const error = await session.fetch(url(), {}, READ).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'login_required' });
    expect(JSON.stringify(error) + String((error as Error).stack)).not.toContain('planted-refresh-token-77');
    expect(await openSession(world)).toBeUndefined();
  });

  it('leaves a newer refresh token alone when the one it sent is refused', async () => {
    await world.store.set({ refresh_token: 'used-up' });
    let replaced = false;
    // Another process's new token arrives while ours is on its way; the lock is not asked, as if it had been lost.
    const session = await open({
      fetch: async (input, init) => {
        const response = await fetch(input, init);
        if (!replaced && String(input).endsWith('/token')) {
          replaced = true;
          await world.store.set({ refresh_token: 'newer' });
        }
        return response;
      },
    });
    await expect(session.fetch(url(), {}, READ)).rejects.toMatchObject({ code: 'login_required' });
    expect((await world.store.get(['refresh_token'])).refresh_token).toBe('newer');
  });

  it('ends when somebody else signs in meanwhile', async () => {
    const session = await open();
    await world.login('bob');
    await expect(session.fetch(url(), {}, READ)).rejects.toMatchObject({ code: 'login_required' });
    expect((await open()).user.sub).toBe('bob');
  });

  it('is not sent to another issuer after the profile was changed', async () => {
    const profile = { ...world.profile, issuer: 'https://id.evil.example' };
    expect(await openSession({ ...world, profile })).toBeUndefined();
    expect(await readSignedInUser(profile, world.store)).toBeUndefined();
  });

  it('survives five processes that renew it at the same time, again and again', async () => {
    const outcomes = await Promise.all(Array.from({ length: 5 }, () => drive(['orders:cancel'], 3)));
    expect(outcomes.flat()).toEqual(Array.from({ length: 15 }, () => '200'));
    expect(exchanges()).toBe(15);
    expect((await (await open()).fetch(url(), {}, READ)).status).toBe(200);
  });

  it('never has its tokens in a readable file', async () => {
    await (await open()).fetch(url(), {}, READ);
    const { refresh_token = '', access_token = '' } = await world.store.get(['refresh_token', 'access_token']);
    const secrets = [refresh_token, JSON.parse(access_token).value as string];
    const files = readdirSync(world.home.config, { recursive: true, encoding: 'utf8' })
      .map((name) => `${world.home.config}/${name}`)
      .filter((path) => statSync(path).isFile());
    expect(files.length).toBeGreaterThanOrEqual(3);
    for (const path of files) {
      for (const secret of secrets) expect(readFileSync(path, 'latin1')).not.toContain(secret);
    }
  });
});

/** A process of its own that opens the session this often and asks with it. Returns the answers. */
async function drive(scopes: string[], rounds: number): Promise<string[]> {
  const program = fileURLToPath(new URL('./storm-driver.ts', import.meta.url));
  const input = JSON.stringify({ profile: world.profile, home: world.home, scopes });
  const child = spawn(process.execPath, [...asHere, program, input], {
    stdio: ['pipe', 'pipe', 'inherit'],
    timeout: 60_000,
  });
  child.stdin.end('go\n'.repeat(rounds));
  return (await text(child.stdout)).trim().split('\n');
}

describe('the store of another profile', () => {
  it('knows nothing of this one’s session', async () => {
    await world.login();
    const store = openFileStore({ folder: world.home.config, profile: 'other' });
    expect(await openSession({ ...world, store })).toBeUndefined();
  });
});
