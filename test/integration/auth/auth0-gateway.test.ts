import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { beginDeviceLogin } from '../../../src/auth/session/device-login.ts';
import { storedUser } from '../../../src/auth/session/stored-session.ts';
import { refreshAccessToken } from '../../../src/auth/session/token-refresh.ts';
import { configSchema } from '../../../src/config/profile.ts';
import { resolveProfile } from '../../../src/config/resolve-profile.ts';
import { type BrokerTokens, createBrokerTokens } from '../../../src/gateway/broker/broker-token.ts';
import { createIdentityProvider } from '../../../src/gateway/door/identity-provider.ts';
import type { Clock } from '../../../src/machine/clock.ts';
import type { Home } from '../../../src/machine/directories.ts';
import { READ_SCOPES } from '../../../src/oauth/scopes.ts';
import { openFileStore } from '../../../src/secrets/file/file-store.ts';
import { type Auth0StandIn, GATEWAY_CLIENT, LOGIN_CLIENT, SUB, startAuth0 } from './auth0-stand-in.ts';

const GATEWAY = 'https://gateway.example';

let auth0: Auth0StandIn;
let home: Home;
let now: number;
let tokens: BrokerTokens;
const clock: Clock = {
  now: () => now,
  monotonic: () => now,
  sleep: async (ms) => {
    now += ms;
  },
};

beforeEach(async () => {
  now = Date.now();
  auth0 = await startAuth0({ audience: GATEWAY, now: () => now });
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-vault-'));
  home = { config: folder, data: folder, log: folder, sandbox: folder };
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  auth0.tenant.gatewayKey = { ...(await exportJWK(publicKey)), alg: 'RS256' };
  const provider = createIdentityProvider({ issuer: auth0.issuer, fetch, timeoutMs: 5000, clock });
  tokens = createBrokerTokens({
    provider,
    exchange: { client_id: GATEWAY_CLIENT, privateKey, audience: 'alpaca', grant: 'auth0-token-vault' },
    fetch,
    timeoutMs: 5000,
    now: () => now,
  });
});
afterEach(async () => {
  await auth0.close();
  rmSync(home.config, { recursive: true, force: true });
});

/** The access token that alice's session shows to the gateway. */
async function accessToken(): Promise<string> {
  const config = configSchema.parse({
    profiles: {
      work: {
        provider: 'auth0',
        issuer: auth0.issuer,
        gateway: GATEWAY,
        login_client: { client_id: LOGIN_CLIENT },
      },
    },
  });
  const profile = resolveProfile(config, 'work');
  const store = openFileStore({ folder: home.config, profile: 'work' });
  if ((await storedUser(profile, store)) === undefined) {
    const started = await beginDeviceLogin(profile, store, { home, clock });
    auth0.tenant.device = 'approved';
    await started.complete(AbortSignal.timeout(20_000));
  }
  const context = { profile, store, clock, sub: SUB, access: { home } };
  return (await refreshAccessToken(context, READ_SCOPES)).value;
}

const connect = () => auth0.connected.set('cac_1', { id: 'cac_1', connection: 'alpaca', scopes: [] });
const exchanges = () => auth0.requests.filter(({ form }) => form.client_id === GATEWAY_CLIENT);

it("the gateway gets the broker's token from Auth0's Token Vault, once for as long as it lasts", async () => {
  connect();
  const caller = { sub: SUB, accessToken: await accessToken() };
  expect(await tokens.tokenFor(caller)).toBe('token-of-the-third-party');
  expect(await tokens.tokenFor(caller)).toBe('token-of-the-third-party');
  expect(exchanges()).toHaveLength(1);
  now += 3_600_000 - 29_000;
  // The token that was shown has ended by now: its exchange is refused, and nothing that was kept is used.
  await expect(tokens.tokenFor(caller)).rejects.toMatchObject({ status: 401, code: 'token_revoked' });
  expect(await tokens.tokenFor({ sub: SUB, accessToken: await accessToken() })).toBe(
    'token-of-the-third-party',
  );
  expect(auth0.breaches).toEqual([]);
});

it('an account is known as connected without a session at hand for as long as its token lasts', async () => {
  connect();
  const owner = { sub: SUB, accessToken: '' };
  await expect(tokens.isConnected(owner)).rejects.toMatchObject({ code: 'service_busy' });
  await tokens.tokenFor({ sub: SUB, accessToken: await accessToken() });
  expect(await tokens.isConnected(owner)).toBe(true);
  now += 24 * 3600 * 1000;
  await expect(tokens.isConnected(owner)).rejects.toMatchObject({ code: 'service_busy' });
});

it('an account that is not connected at the Token Vault is told from a failure', async () => {
  const caller = { sub: SUB, accessToken: await accessToken() };
  await expect(tokens.tokenFor(caller)).rejects.toMatchObject({ status: 409, code: 'account_not_connected' });
  connect();
  expect(await tokens.tokenFor(caller)).toBe('token-of-the-third-party');
  expect(auth0.breaches).toEqual([]);
});

it('the contract notices an exchange as RFC 8693 has it', async () => {
  connect();
  const { privateKey } = await generateKeyPair('RS256');
  const standard = createBrokerTokens({
    provider: createIdentityProvider({ issuer: auth0.issuer, fetch, timeoutMs: 5000, clock }),
    exchange: { client_id: GATEWAY_CLIENT, privateKey, audience: 'alpaca' },
    fetch,
    timeoutMs: 5000,
    now: () => now,
  });
  await expect(standard.tokenFor({ sub: SUB, accessToken: await accessToken() })).rejects.toMatchObject({
    code: 'token_exchange_failed',
  });
  expect(auth0.breaches).toEqual([
    '/oauth/token: grant_type urn:ietf:params:oauth:grant-type:token-exchange',
  ]);
});
