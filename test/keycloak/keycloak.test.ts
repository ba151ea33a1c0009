import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CibaApprovalClient } from '../../src/approval/ciba/ciba-approval-client.ts';
import { publicClientKey } from '../../src/auth/provider/assertion-key.ts';
import { openSession } from '../../src/auth/session/token-session.ts';
import { createIdentityProvider } from '../../src/gateway/auth/identity-provider.ts';
import { verifyApprovalToken } from '../../src/gateway/auth/token-verifier.ts';
import { createBrokerTokens } from '../../src/gateway/broker/broker-token.ts';
import { systemClock } from '../../src/machine/clock.ts';
import { READ_SCOPES } from '../../src/oauth/scopes.ts';
import { profileAt } from '../integration/agent/session.ts';
import { postgresPrograms } from '../postgres/support/cluster.ts';
import { openBrowser } from './browser.ts';
import { unpackKeycloak } from './distribution.ts';
import { ALICE, type KeycloakWorld, openKeycloakWorld, PROFILE, SERVER_PROFILE } from './keycloak-world.ts';
import { BROKER_CLIENT, GATEWAY_CLIENT, LOGIN_CLIENT, SERVER_CLIENT, SERVER_LOGIN_CLIENT } from './realm.ts';

const folder = mkdtempSync(join(tmpdir(), 'trade-agent-keycloak-dist-'));
const keycloak = await unpackKeycloak(folder);
if ('missing' in keycloak) process.stderr.write(`Skipped: ${keycloak.missing}.\n`);

let world: KeycloakWorld;
beforeAll(async () => {
  if ('home' in keycloak) world = await openKeycloakWorld(keycloak.home, folder);
});
afterAll(async () => {
  await world?.close();
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

const json = (text: string) => JSON.parse(text);
const inProfile = (...args: string[]) => world.cli(...args, '--profile', PROFILE, '--output', 'json');
const atServer = (...args: string[]) => world.cli(...args, '--profile', SERVER_PROFILE, '--output', 'json');

/** Signs in by the device flow: alice's browser says yes. @returns who that is */
async function signIn(profile: string) {
  const login = world.start('login', '--profile', profile, '--output', 'stream-json');
  const [, address = ''] = await login.waitFor(/"verification_uri_complete":"([^"]+)"/);
  const browser = openBrowser();
  await browser.open(address);
  await browser.submit(ALICE);
  expect(await browser.submit({ accept: 'Yes' })).toContain('Device Login Successful');
  expect((await login.finished).code).toBe(0);
  const { user } = json((await world.cli('whoami', '--profile', profile, '--output', 'json')).stdout);
  return user;
}

/** The token that her machine sends to the server. */
async function tokenSent(): Promise<string> {
  const { server = '', issuer } = world;
  const profile = {
    ...{ ...profileAt(server), name: SERVER_PROFILE, provider: 'keycloak' as const, server, issuer },
    login_client: { client_id: SERVER_LOGIN_CLIENT },
  };
  const home = { config: folder, data: folder, log: folder, sandbox: folder };
  let sent = '';
  const watched: typeof fetch = (url, init) => {
    if (String(url).startsWith(server)) sent = new Headers(init?.headers).get('authorization') ?? '';
    return fetch(url, init);
  };
  const session = await openSession({ profile, store: world.serverStore, home, fetch: watched });
  await session?.fetch(`${server}/v1/agent/threads`, {}, READ_SCOPES);
  return sent.replace(/^DPoP /, '');
}

/** Proposes an order and decides on the phone; the result of the run. */
async function runOrder(sentence: string, decision: 'SUCCEED' | 'UNAUTHORIZED', profile = PROFILE) {
  const running = world.start('run', sentence, '--profile', profile, '--output', 'json', '--timeout', '60s');
  const ended = running.finished.then(({ stdout, stderr }) => {
    throw new Error(`the phone was not asked: ${stdout}${stderr}`);
  });
  const asked = await Promise.race([world.phone.next(), ended]);
  ended.catch(() => undefined);
  await world.phone.answer(world.issuer, asked, decision);
  const { code, stdout, stderr } = await running.finished;
  return { asked, code, stderr, result: json(stdout) };
}

// One user's way through an unmodified Keycloak; each step stands on the one before.
describe.skipIf('missing' in keycloak)('with Keycloak', () => {
  it('a profile is added, and it is said that Keycloak’s tokens carry no approved order', async () => {
    const { code, stdout } = await world.cli(
      ...['profile', 'add', PROFILE, '--issuer', world.issuer, '--gateway', world.gateway],
      ...['--login-client', LOGIN_CLIENT, '--credential-store', 'file', '--output', 'json'],
    );
    const { profile, findings } = json(stdout);
    expect(code).toBe(0);
    expect(profile).toMatchObject({ provider: 'keycloak', issuer: world.issuer });
    const statuses = Object.fromEntries(
      findings.map(({ feature, status }: Record<string, string>) => [feature, status]),
    );
    expect(statuses).toEqual({
      device: 'ok',
      ciba: 'ok',
      details: 'warn',
      dpop: 'ok',
      token_exchange: 'ok',
    });
  });

  it('alice signs in by the device flow', async () => {
    const user = await signIn(PROFILE);
    expect(user).toMatchObject({ name: 'alice Example', email: 'alice@example.com' });
    world.connect(user.sub);
  });

  it('whoami --verify asks Keycloak itself', async () => {
    const { code, stdout, stderr } = await inProfile('whoami', '--verify');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(json(stdout)).toMatchObject({ verified: true, user: { email: 'alice@example.com' } });
  });

  it('the gateway takes a DPoP-bound token of Keycloak’s and exchanges it for the broker’s', async () => {
    const { code, stdout, stderr } = await inProfile('portfolio');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(json(stdout).account).toMatchObject({ environment: 'paper' });
    expect(world.exchanged()).toBeGreaterThan(0);
    expect(world.refusals).toEqual([]);
  });

  it('the session is renewed with a new refresh token each time', async () => {
    const token = async () => (await world.store.get(['refresh_token'])).refresh_token;
    const before = await token();
    await world.store.delete(['access_token']);
    expect((await inProfile('portfolio')).code).toBe(0);
    const after = await token();
    expect(after).toBeDefined();
    expect(after).not.toBe(before);
  });

  it('a refusal on the phone ends the run as denied', async () => {
    const { asked, code, result } = await runOrder('buy 5 AAPL limit 180', 'UNAUTHORIZED');
    expect(asked).toMatchObject({ login_hint: 'alice', scope: expect.stringContaining('orders:write') });
    expect(asked.binding_message).toMatch(/^BUY_5_AAPL_LMT_180\.00_[0-9A-Z]{4}$/);
    expect({ code, status: result.status }).toEqual({ code: 6, status: 'denied' });
    expect(world.broker.book()).toEqual([]);
  });

  it('an order is asked for by its message alone, approved, and filled', async () => {
    world.refusals.length = 0;
    const { asked, code, result } = await runOrder('buy 5 AAPL', 'SUCCEED');
    expect(asked.binding_message).toMatch(/^BUY_5_AAPL[A-Za-z0-9._]*_[0-9A-Z]{4}$/);
    expect({ code, status: result.status }).toEqual({ code: 0, status: 'done' });
    expect(world.refusals).toEqual([]);
    await expect.poll(() => world.broker.book()).toMatchObject([{ symbol: 'AAPL', qty: '5', status: 'filled' }]);
  });

  it('the token of an approval is for the gateway, and exchanged for the broker’s', async () => {
    const asking = new CibaApprovalClient({
      issuer: world.issuer,
      resource: world.gateway,
      client: { id: GATEWAY_CLIENT },
      privateKey: world.gatewayKey,
      details: 'message',
      delivery: 'poll',
    });
    const { user } = json((await inProfile('whoami')).stdout);
    const ask = async (decision: 'SUCCEED' | 'UNAUTHORIZED') => {
      const details = { type: 'trade_order' };
      const question = {
        asked: { sub: user.sub, name: ALICE.username },
        scope: 'orders:write' as const,
        bindingMessage: 'SELL 5 AAPL LMT 180.00 K7QP',
        details,
        expiresIn: 120,
        notificationToken: 'none',
      };
      const { authReqId, expiresAt } = await asking.request(question);
      const shown = await world.phone.next();
      expect(shown.binding_message).toBe('SELL_5_AAPL_LMT_180.00_K7QP');
      await world.phone.answer(world.issuer, shown, decision);
      const expected = { sub: user.sub, details, expiresAt };
      return await asking.poll(authReqId, expected, AbortSignal.timeout(60_000));
    };
    expect(await ask('UNAUTHORIZED')).toEqual({ status: 'denied' });
    const result = await ask('SUCCEED');
    if (result.status !== 'approved') throw new Error(JSON.stringify(result));
    const provider = createIdentityProvider({
      issuer: world.issuer,
      fetch,
      timeoutMs: 30_000,
      clock: systemClock,
    });
    const approved = await verifyApprovalToken(result.accessToken, {
      provider,
      resource: world.gateway,
      clock: systemClock,
    });
    expect(approved).toMatchObject({ sub: user.sub, clientId: GATEWAY_CLIENT });
    expect(approved.scopes.has('orders:write')).toBe(true);
    const tokens = createBrokerTokens({
      provider,
      exchange: { client_id: GATEWAY_CLIENT, privateKey: world.gatewayKey, audience: BROKER_CLIENT },
      fetch,
      timeoutMs: 30_000,
      now: Date.now,
    });
    expect(decodeJwt(await tokens.tokenFor(approved)).aud).toBe(BROKER_CLIENT);
  });

  it('the gateway’s key is replaced, once Keycloak knows the new one', async () => {
    const home = join(folder, 'gateway-home');
    mkdirSync(home, { mode: 0o700 });
    const write = (name: string, value: object) =>
      writeFileSync(join(home, name), JSON.stringify(value), { mode: 0o600 });
    write('key.json', world.gatewayKey);
    write('gateway.yaml', {
      issuer: world.issuer,
      resource: world.gateway,
      environment: 'paper',
      exchange: { client_id: GATEWAY_CLIENT, audience: BROKER_CLIENT },
      approval: { details: 'message' },
    });
    const key = async (...more: string[]) =>
      json((await world.cli('gateway', 'key', '--home', home, '--output', 'json', ...more)).stdout);
    const next = await key('--rotate');
    expect(next.status).toBe('waiting');
    expect((await key('--confirm')).error).toMatchObject({ code: 'provider_error' });
    await world.enterKeys([publicClientKey(world.gatewayKey), next.jwk]);
    // Keycloak looks for a key it didn't find again only after ten seconds.
    const confirmed = async () => {
      const { status, error } = await key('--confirm');
      return status ?? error.message;
    };
    await expect.poll(confirmed, { timeout: 60_000, interval: 3000 }).toBe('rotated');
  });

  it('signing out ends the session at Keycloak', async () => {
    const { refresh_token = '' } = await world.store.get(['refresh_token']);
    expect(decodeJwt(refresh_token).iss).toBe(world.issuer);
    const { code, stdout } = await inProfile('logout');
    expect(code).toBe(0);
    expect(json(stdout)).toMatchObject({ revoked: true, warning: null });
    const answer = await fetch(`${world.issuer}/protocol/openid-connect/token`, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'refresh_token', client_id: LOGIN_CLIENT, refresh_token }),
    });
    expect(answer.status).toBe(400);
    expect((await inProfile('whoami')).code).toBe(4);
  });
});

describe.skipIf('missing' in keycloak || postgresPrograms() === undefined)('a server, with Keycloak', () => {
  it('says by which client people sign in, and alice does: her token is for the server alone, and bound', async () => {
    const { code, stdout } = await world.cli(
      ...['profile', 'add', SERVER_PROFILE, '--server', world.server ?? ''],
      ...['--credential-store', 'file', '--output', 'json'],
    );
    expect(code).toBe(0);
    expect(json(stdout).profile).toMatchObject({
      ...{ provider: 'keycloak', issuer: world.issuer, login_client: { client_id: SERVER_LOGIN_CLIENT } },
    });
    world.connect((await signIn(SERVER_PROFILE)).sub);
    const claims = decodeJwt(await tokenSent());
    expect(claims.aud).toEqual(expect.arrayContaining([world.server, SERVER_CLIENT]));
    expect(claims.aud).toHaveLength(2);
    expect(claims).toMatchObject({ azp: SERVER_LOGIN_CLIENT, cnf: { jkt: expect.any(String) } });
  });

  it('exchanges it for one of its own, by which the gateway is called in her name', async () => {
    world.clients.clear();
    world.refusals.length = 0;
    const { code, stdout } = await atServer('portfolio');
    expect(code).toBe(0);
    expect(json(stdout).account).toMatchObject({ environment: 'paper' });
    expect([...world.clients]).toEqual([SERVER_CLIENT]);
    expect(world.refusals).toEqual([]);
  });

  it('runs her agent: the order is asked for on her phone, and filled', async () => {
    world.refusals.length = 0;
    const before = world.broker.book().length;
    const { asked, code, result } = await runOrder('buy 3 AAPL', 'SUCCEED', SERVER_PROFILE);
    expect(asked).toMatchObject({ login_hint: 'alice', scope: expect.stringContaining('orders:write') });
    expect({ code, status: result.status }).toEqual({ code: 0, status: 'done' });
    expect(world.broker.book().slice(before)).toMatchObject([{ symbol: 'AAPL', qty: '3' }]);
    expect(world.refusals).toEqual([]);
  });

  it('keeps no schedule of hers: nobody may act there while she is away', async () => {
    const { stdout } = await atServer('schedule', 'add', '--at', 'open+5m', '--yes');
    expect(json(stdout).error.message).toContain('does not let servers act while you are away');
  });

  it('is of no use to her once she has signed out', async () => {
    expect(json((await atServer('logout')).stdout)).toMatchObject({ revoked: true });
    expect((await atServer('portfolio')).code).toBe(4);
  });
});
