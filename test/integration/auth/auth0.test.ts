import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt, exportJWK, generateKeyPair, type JWK } from 'jose';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CibaApprovalClient } from '../../../src/approval/ciba/ciba-approval-client.ts';
import type { CibaRequest, PollResult } from '../../../src/approval/ciba/ciba-port.ts';
import { beginAccountConnection } from '../../../src/auth/connections/connect-account.ts';
import { createConnectedAccountsClient } from '../../../src/auth/connections/connected-accounts-client.ts';
import { openConnectedAccounts } from '../../../src/auth/connections/open-connected-accounts.ts';
import { logout } from '../../../src/auth/logout.ts';
import { capApprovalTtl, detectProvider } from '../../../src/auth/provider/dialects.ts';
import { getProviderMetadata } from '../../../src/auth/provider/provider.ts';
import { checkProviderFeatures } from '../../../src/auth/provider/provider-check.ts';
import { adoptRefreshToken } from '../../../src/auth/session/adopt-refresh-token.ts';
import { beginDeviceLogin } from '../../../src/auth/session/device-login.ts';
import { readSignedInUser } from '../../../src/auth/session/stored-session.ts';
import { refreshAccessToken } from '../../../src/auth/session/token-refresh.ts';
import { fetchUserinfo } from '../../../src/auth/session/userinfo.ts';
import { configSchema, type ResolvedProfile } from '../../../src/config/profile.ts';
import { resolveProfile } from '../../../src/config/resolve-profile.ts';
import { createIdentityProvider } from '../../../src/gateway/auth/identity-provider.ts';
import { type BrokerTokens, createBrokerTokens } from '../../../src/gateway/broker/broker-token.ts';
import { type Clock, systemClock } from '../../../src/machine/clock.ts';
import type { UserDirs } from '../../../src/machine/directories.ts';
import { READ_SCOPES } from '../../../src/oauth/scopes.ts';
import type { CredentialStore } from '../../../src/secrets/credential-store.ts';
import { openFileStore } from '../../../src/secrets/file/file-store.ts';
import { APPROVAL_CLIENT, type Auth0StandIn, GATEWAY_CLIENT, LOGIN_CLIENT, SUB, startAuth0 } from './auth0-stand-in.ts';
import { anOrder } from './order-details.ts';

const GATEWAY = 'https://gateway.example';

let auth0: Auth0StandIn;
let profile: ResolvedProfile;
let store: CredentialStore;
let home: UserDirs;
let now: number;
/** As "gateway key --type RSA" makes it: Auth0 gives it an id of its own. */
let gatewayKey: JWK;
/** Time that passes only by waiting. */
const clock: Clock = {
  now: () => now,
  monotonic: () => now,
  sleep: async (ms, signal) => {
    signal?.throwIfAborted();
    now += ms;
  },
};
const soon = () => AbortSignal.timeout(20_000);

beforeEach(async () => {
  now = Date.now();
  auth0 = await startAuth0({ audience: GATEWAY, now: () => now });
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-auth0-'));
  home = { config: folder, data: folder, log: folder, sandbox: folder };
  const config = configSchema.parse({
    profiles: {
      work: {
        provider: 'auth0',
        issuer: auth0.issuer,
        gateway: GATEWAY,
        login_client: { client_id: LOGIN_CLIENT },
        credential_store: 'file',
        approval_ttl: 900,
      },
    },
  });
  profile = resolveProfile(config, 'work');
  store = openFileStore({ folder, profile: 'work' });
  const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true });
  gatewayKey = { ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig' };
  auth0.tenant.approvalKey = { ...(await exportJWK(publicKey)), alg: 'RS256' };
});
afterEach(async () => {
  expect(auth0.breaches).toEqual([]);
  await auth0.close();
  rmSync(home.config, { recursive: true, force: true });
});

async function login() {
  const started = await beginDeviceLogin(profile, store, { home, clock });
  auth0.tenant.device = 'approved';
  return await started.complete(soon());
}

const renewed = (scopes: readonly string[]) =>
  refreshAccessToken({ profile, store, clock, sub: SUB, access: { home } }, scopes);

const gatewayAsks = () =>
  new CibaApprovalClient({
    issuer: auth0.issuer,
    resource: GATEWAY,
    client: { id: APPROVAL_CLIENT },
    privateKey: gatewayKey,
    details: 'rar',
    delivery: 'poll',
    clock,
  });

async function ask(asking = gatewayAsks()) {
  const order = anOrder(GATEWAY);
  const details = order.details as unknown as CibaRequest['details'];
  const request = await asking.request({
    asked: { sub: SUB },
    scope: 'orders:write',
    bindingMessage: order.message,
    details,
    expiresIn: 900,
    notificationToken: 'not-sent',
  });
  const push = auth0.pushes.at(-1);
  if (push === undefined) throw new Error('nothing was pushed');
  return {
    ...order,
    request,
    push,
    poll: (by = asking): Promise<PollResult> =>
      by.poll(request.authReqId, { sub: SUB, details, expiresAt: request.expiresAt }, soon()),
  };
}

describe('an Auth0 tenant', () => {
  it('is recognized by its metadata, also under a domain of its own', async () => {
    expect(detectProvider(await getProviderMetadata(auth0.issuer, {}))).toBe('auth0');
  });

  it('is told apart from what it cannot say about itself', async () => {
    auth0.tenant.announcesCiba = false;
    const metadata = await getProviderMetadata(auth0.issuer, { fresh: true });
    const findings = checkProviderFeatures(profile, metadata);
    expect(findings.map(({ feature, status }) => [feature, status])).toEqual([
      ['device', 'ok'],
      ['ciba', 'warn'],
      ['details', 'warn'],
      ['dpop', 'warn'],
      ['token_exchange', 'warn'],
    ]);
    expect(findings.filter(({ status }) => status !== 'ok').every(({ fix }) => fix !== undefined)).toBe(true);
  });

  it('limits how long an approval may take to what it pushes to a phone', () => {
    expect(capApprovalTtl(profile).approval_ttl).toBe(300);
  });
});

describe('signing in', () => {
  it('asks for the API by audience, waits as told, and knows the user', async () => {
    expect(await login()).toEqual({ sub: SUB, name: 'Alice', email: 'alice@example.com' });
  });

  it('goes on after 429 slow_down, more slowly', async () => {
    const started = await beginDeviceLogin(profile, store, { home, clock });
    // A poll of somebody else's a moment ago makes the first of ours too soon.
    const waits: number[] = [];
    const hasty: Clock = {
      ...clock,
      sleep: async (ms) => {
        now += waits.push(ms) === 1 ? 1 : ms;
      },
    };
    await fetch(`${auth0.issuer}oauth/token`, {
      method: 'POST',
      body: new URLSearchParams({
        grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
        device_code: 'device-code',
        client_id: LOGIN_CLIENT,
      }),
    });
    auth0.tenant.device = 'approved';
    const slow = await beginDeviceLogin(profile, store, { home, clock: hasty });
    await slow.complete(soon());
    expect(waits).toEqual([5000, 10_000]);
    expect(started.interval).toBe(5);
  });

  it.each([
    ['denied', 'login_denied'],
    ['expired', 'login_expired'],
  ] as const)('that is %s ends as %s', async (device, code) => {
    const started = await beginDeviceLogin(profile, store, { home, clock });
    auth0.tenant.device = device;
    await expect(started.complete(soon())).rejects.toMatchObject({ code });
    // `expired_token` comes once, `invalid_grant` from then on: both mean the same.
    await expect(started.complete(soon())).rejects.toMatchObject({ code });
  });
});

describe('the session', () => {
  it('is renewed for exactly the scopes asked for, with a new refresh token each time', async () => {
    await login();
    const refreshed = await renewed(['orders:cancel']);
    expect(decodeJwt(refreshed.value)).toMatchObject({ scope: 'orders:cancel', client_id: LOGIN_CLIENT });
    expect((await store.get(['refresh_token'])).refresh_token).toBe('refresh-2');
  });

  it('is verified at userinfo, and ended at sign-out', async () => {
    await login();
    expect(await fetchUserinfo({ profile, store, home, clock })).toMatchObject({ sub: SUB });
    await renewed(READ_SCOPES);
    // It revokes refresh tokens alone: the access token is not shown to it.
    expect(await logout({ profile, store, home, clock })).toMatchObject({
      revoked: true,
      unrevoked: [{ token: 'access_token', unsupported: true }],
      warning: undefined,
    });
    expect(auth0.requests.at(-1)).toMatchObject({ path: '/oauth/revoke' });
    expect(auth0.requests.filter(({ path }) => path === '/oauth/revoke')).toHaveLength(1);
  });
});

describe('a refresh token that came without a session', () => {
  it('becomes one, whose it is being learnt from the ID token', async () => {
    await login();
    const { refresh_token = '' } = await store.get(['refresh_token']);
    await store.delete(['session', 'dpop_key', 'access_token']);
    await adoptRefreshToken(profile, store, { home, clock });
    expect(await readSignedInUser(profile, store)).toMatchObject({ sub: SUB });
    expect((await store.get(['refresh_token'])).refresh_token).not.toBe(refresh_token);
    const before = auth0.requests.length;
    await adoptRefreshToken(profile, store, { home, clock });
    expect(auth0.requests).toHaveLength(before);
  });

  it('that is worth nothing asks for a sign-in', async () => {
    await store.set({ refresh_token: 'refresh-of-old' });
    await expect(adoptRefreshToken(profile, store, { home, clock })).rejects.toMatchObject({
      code: 'login_required',
    });
  });
});

describe('an approval', () => {
  it('is pushed to Guardian with a message of its characters, and every field of the order', async () => {
    const { push, details, message } = await ask();
    // As the person reads it on their phone.
    expect(push.text).toBe(message.replaceAll(' ', '_'));
    expect(push.text).toBe('BUY_5_AAPL_LMT_180.00');
    expect(push.details).toEqual({ ...details });
  });

  it('that is given carries the order in the token', async () => {
    const { push, poll, details } = await ask();
    expect(await poll()).toEqual({ status: 'pending' });
    push.answer = 'approved';
    const result = await poll();
    if (result.status !== 'approved') throw new Error(JSON.stringify(result));
    expect(decodeJwt(result.accessToken)).toMatchObject({
      scope: 'openid orders:write',
      authorization_details: [details],
    });
    expect(await poll()).toEqual({ status: 'lost' });
  });

  it('whose content was changed on the way is refused', async () => {
    const { push, poll } = await ask();
    Object.assign(push.details, { qty: '5000' });
    push.answer = 'approved';
    expect(await poll()).toEqual({ status: 'failed', error: 'authorization_details_mismatch' });
  });

  it.each([
    ['before its end is denied', 0, 'denied'],
    ['at its end has expired', 300_000, 'expired'],
  ])('refused in words that mean either, %s', async (_when, later, status) => {
    const { push, poll } = await ask();
    push.answer = 'denied';
    now += later;
    expect(await poll()).toEqual({ status });
  });

  it('is told apart by a gateway that was started again', async () => {
    const { push, poll } = await ask();
    push.answer = 'expired';
    now += 600_000;
    expect(await poll(gatewayAsks())).toEqual({ status: 'expired' });
  });

  it('is not asked for a sixth time within a minute; it says when that is possible again', async () => {
    const client = gatewayAsks();
    for (let pushes = 0; pushes < 5; pushes++) await ask(client);
    await expect(ask(client)).rejects.toMatchObject({
      code: 'provider_unreachable',
      message: expect.stringMatching(/too many requests; retry in \d+ s/),
    });
    now += 60_000;
    await ask(client);
    expect(auth0.pushes).toHaveLength(6);
  });

  it('of a details type that is not registered for the API is a breach', async () => {
    auth0.detailsTypes.length = 0;
    await expect(ask()).rejects.toMatchObject({ code: 'provider_error' });
    expect(auth0.breaches.splice(0)).toEqual([expect.stringContaining('authorization_details is wrong')]);
  });
});

describe('a connected account', () => {
  const withToken = (token: string) =>
    createConnectedAccountsClient({
      endpoint: `${auth0.issuer}me/v1/connected-accounts`,
      authorize: async () => ({ authorization: `Bearer ${token}` }),
    });
  const accounts = () => withToken('my-account-token');
  const connect = async () => {
    const redirectUri = 'http://127.0.0.1:9/callback';
    const started = await accounts().start({
      connection: 'slack',
      redirect: { redirectUri, state: 'state-1' },
      scopes: ['chat:write'],
    });
    return {
      started,
      complete: (connectCode: string) =>
        accounts().complete({ authSession: started.authSession, connectCode, redirectUri }),
    };
  };
  it('is connected in the browser, listed, and removed', async () => {
    const { started, complete } = await connect();
    expect(started).toMatchObject({
      address: `${auth0.issuer}connected-accounts/connect?ticket=ticket-1`,
      expiresIn: 300,
    });
    const account = await complete('connect-code');
    expect(account).toMatchObject({ id: 'cac_1', connection: 'slack', scopes: ['chat:write'] });
    expect((await accounts().list()).map(({ id }) => id)).toEqual([account.id]);
    await accounts().remove(account.id);
    expect(await accounts().list()).toEqual([]);
  });

  describe('by the whole of the program', () => {
    const open = async (port = 0) => {
      await login();
      const opened = await openConnectedAccounts(profile, store, { home, clock });
      const connecting = await beginAccountConnection(opened.accounts, {
        connection: 'slack',
        scopes: ['chat:write'],
        finish: opened.finish,
        redirectPort: port,
        clock: systemClock,
      });
      return { ...opened, connecting };
    };

    it('comes back to this machine, with a token of the session’s for the My Account API', async () => {
      const { accounts: own, connecting } = await open();
      const done = connecting.complete(soon());
      const page = await fetch(connecting.address);
      expect(await page.text()).toContain('Go back to your terminal');
      const account = await done;
      expect(account).toMatchObject({ connection: 'slack', scopes: ['chat:write'] });
      expect(await own.list()).toMatchObject([{ id: account.id }]);
      await own.remove(account.id);
      expect(await own.list()).toEqual([]);
      expect(auth0.requests.at(-1)?.form).toMatchObject({
        grant_type: 'refresh_token',
        audience: `${auth0.issuer}me/`,
        scope: expect.stringContaining('create:me:connected_accounts'),
      });
    });

    it('that is refused there is told as that', async () => {
      const { connecting } = await open();
      auth0.tenant.connects = false;
      const done = connecting.complete(soon());
      done.catch(() => undefined);
      await fetch(connecting.address);
      await expect(done).rejects.toMatchObject({ code: 'login_denied' });
    });

    it('takes no answer that carries another’s state', async () => {
      const { connecting } = await open();
      const back = new URL((await fetch(connecting.address, { redirect: 'manual' })).headers.get('location') ?? '');
      back.searchParams.set('state', 'forged');
      expect((await fetch(back)).status).toBe(404);
      const stop = new AbortController();
      const done = connecting.complete(stop.signal);
      stop.abort(new Error('enough'));
      await expect(done).rejects.toThrow('enough');
      // What listened is gone.
      await expect(fetch(back)).rejects.toThrow();
    });

    it('does not start where its port is taken', async () => {
      const { connecting } = await open();
      const location = (await fetch(connecting.address, { redirect: 'manual' })).headers.get('location');
      await expect(open(Number(new URL(location ?? '').port))).rejects.toMatchObject({ code: 'port_in_use' });
      await connecting.close();
    });
  });

  it('is completed once only', async () => {
    const { complete } = await connect();
    await complete('connect-code');
    await expect(complete('connect-code')).rejects.toMatchObject({ code: 'provider_error' });
  });

  it('needs a token for the My Account API', async () => {
    const redirect = { redirectUri: 'http://127.0.0.1:9/', state: 's' };
    await expect(withToken('another').start({ connection: 'slack', redirect, scopes: [] })).rejects.toMatchObject({
      code: 'login_required',
    });
  });
});

describe('the Token Vault', () => {
  let tokens: BrokerTokens;
  beforeEach(async () => {
    const { privateKey, publicKey } = await generateKeyPair('RS256');
    auth0.tenant.gatewayKey = { ...(await exportJWK(publicKey)), alg: 'RS256' };
    tokens = createBrokerTokens({
      provider: createIdentityProvider({ issuer: auth0.issuer, fetch, timeoutMs: 5000, clock }),
      exchange: { client_id: GATEWAY_CLIENT, privateKey, audience: 'alpaca', grant: 'auth0-token-vault' },
      fetch,
      timeoutMs: 5000,
      now: () => now,
    });
  });

  /** The access token that alice's session shows to the gateway. */
  const accessToken = async () => {
    if ((await readSignedInUser(profile, store)) === undefined) await login();
    return (await renewed(READ_SCOPES)).value;
  };
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
    expect(await tokens.tokenFor({ sub: SUB, accessToken: await accessToken() })).toBe('token-of-the-third-party');
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
    await expect(tokens.tokenFor(caller)).rejects.toMatchObject({
      status: 409,
      code: 'account_not_connected',
    });
    connect();
    expect(await tokens.tokenFor(caller)).toBe('token-of-the-third-party');
  });
});
