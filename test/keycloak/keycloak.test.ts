import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openBrowser } from './browser.ts';
import { unpackKeycloak } from './distribution.ts';
import { ALICE, type KeycloakWorld, openKeycloakWorld, PROFILE } from './keycloak-world.ts';
import { APPROVAL_CLIENT, LOGIN_CLIENT } from './realm.ts';

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
const ORDER = 'buy 5 AAPL limit 180';

/** Proposes an order and decides on the phone; the result of the run. */
async function runOrder(decision: 'SUCCEED' | 'UNAUTHORIZED') {
  const running = world.start('run', ORDER, '--profile', PROFILE, '--output', 'json', '--timeout', '60s');
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
  it('a profile is added, and it is said that Keycloak cannot carry approved orders', async () => {
    const { code, stdout, stderr } = await world.cli(
      ...['profile', 'add', PROFILE, '--issuer', world.issuer, '--gateway', world.gateway],
      ...['--login-client', LOGIN_CLIENT, '--approval-client', APPROVAL_CLIENT],
      ...['--credential-store', 'file', '--output', 'json'],
    );
    const { profile, findings } = json(stdout);
    // It is good for everything but placing orders.
    expect(code).toBe(0);
    expect(stderr).toContain('warning: Keycloak puts no approved order into the token');
    expect(profile).toMatchObject({ provider: 'keycloak', issuer: world.issuer });
    const statuses = Object.fromEntries(
      findings.map(({ feature, status }: Record<string, string>) => [feature, status]),
    );
    expect(statuses).toEqual({
      device: 'ok',
      ciba: 'ok',
      details: 'fail',
      dpop: 'ok',
      approval_client: 'ok',
      token_exchange: 'ok',
    });
  });

  it('the approval client’s key is made here, shown, and entered there', async () => {
    const { code, stdout } = await world.cli('profile', 'rotate-key', PROFILE, '--show', '--output', 'json');
    expect(code).toBe(0);
    const { public_key } = json(stdout);
    expect(public_key).not.toHaveProperty('d');
    await world.enterKeys([public_key]);
  });

  it('alice signs in by the device flow', async () => {
    const login = world.start('login', '--profile', PROFILE, '--output', 'stream-json');
    const [, address = ''] = await login.waitFor(/"verification_uri_complete":"([^"]+)"/);
    const browser = openBrowser();
    await browser.open(address);
    await browser.submit(ALICE);
    expect(await browser.submit({ accept: 'Yes' })).toContain('Device Login Successful');
    const { code } = await login.finished;
    expect(code).toBe(0);
    const { user } = json((await inProfile('whoami')).stdout);
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
    const { asked, code, result } = await runOrder('UNAUTHORIZED');
    expect(asked).toMatchObject({ login_hint: 'alice', scope: expect.stringContaining('orders:write') });
    expect(asked.binding_message).toMatch(/^BUY_5_AAPL_LMT_180\.00_[0-9A-Z]{4}$/);
    expect({ code, status: result.status }).toEqual({ code: 6, status: 'denied' });
    expect(world.broker.book()).toEqual([]);
  });

  it('an approval does not carry the order, so the gateway refuses it and nothing is traded', async () => {
    world.refusals.length = 0;
    const { code, result } = await runOrder('SUCCEED');
    expect(result.status).not.toBe('done');
    expect(code).not.toBe(0);
    expect(world.refusals).toEqual(['approval_missing']);
    expect(world.broker.book()).toEqual([]);
  });

  it('the approval client’s key is replaced, once Keycloak knows the new one', async () => {
    const key = async (...more: string[]) =>
      json((await world.cli('profile', 'rotate-key', PROFILE, '--output', 'json', ...more)).stdout);
    const next = await key();
    expect(next.status).toBe('waiting');
    expect((await key('--confirm')).error).toMatchObject({ code: 'provider_error' });
    await world.enterKeys([next.public_key]);
    // Keycloak looks for a key it didn't find again only after ten seconds.
    const confirmed = async () => {
      const { status, error } = await key('--confirm');
      return status ?? error.message;
    };
    await expect.poll(confirmed, { timeout: 60_000, interval: 3000 }).toBe('rotated');
    expect((await runOrder('UNAUTHORIZED')).code).toBe(6);
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
