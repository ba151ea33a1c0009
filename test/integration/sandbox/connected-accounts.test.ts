import { getRequestListener } from '@hono/node-server';
import Database from 'better-sqlite3-multiple-ciphers';
import { Hono } from 'hono';
import * as client from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { deriveSoftwareKey } from '../../../src/approval/signature/software-key.ts';
import { CONNECT_PATH } from '../../../src/home/identity-provider/protocol/protocol.ts';
import type { VaultConnection } from '../../../src/home/identity-provider/third-party.ts';
import { createPhoneClient } from '../../../src/home/phone/phone-client.ts';
import { type HttpServer, listenOnLoopback } from '../../../src/net/http-server.ts';
import { oauthRoutes } from '../../../src/sandbox/paper-broker/oauth/oauth-routes.ts';
import { createSandboxTables } from '../../../src/store/sandbox/schema.ts';
import { openTokenStore } from '../../../src/store/sandbox/token-store.ts';
import { createHttpBrowser, ledTo, openLinkByHttp, pairByHttp, submitSigned } from '../home/http-browser.ts';
import { ALL_SCOPES, RESOURCE, signIn, startIdentityProvider, type World } from './identity-provider-fixture.ts';

const vaultClient = { client_id: 'vault', client_secret: 'vault-secret' };
const passwords: Record<string, string> = { alice: 'alice-at-the-broker', bob: 'bob-at-the-broker' };
const CONNECTION_SCOPES = 'read:me:connected_accounts create:me:connected_accounts delete:me:connected_accounts';

let broker: HttpServer;
let world: World;
const database = new Database(':memory:');
createSandboxTables(database, 'thirdParty');
const tokens = openTokenStore(database, Date.now);
const connections: Record<string, VaultConnection> = {};

beforeAll(async () => {
  broker = await listenOnLoopback(0, Date.now);
  // The provider's address is known only once it runs: its connections are filled in then, and read at each use.
  world = await startIdentityProvider({ connections, thirdPartyPasswords: passwords, signatures: 'required' });
  for (const user of ['alice', 'bob']) {
    await world.keys.enrollSoftwareKey(user, deriveSoftwareKey(world.pairingSecret, user));
  }
  const redirectUri = (name: string) => `${world.issuer}/connections/callback/${name}`;
  for (const name of ['paper-broker', 'other-broker']) {
    connections[name] = { url: broker.url, client: vaultClient, redirectUri: redirectUri(name), label: name };
  }
  const routes = oauthRoutes({
    url: broker.url,
    tokens,
    clients: [{ ...vaultClient, redirect_uris: Object.keys(connections).map(redirectUri) }],
    users: Object.entries(passwords).map(([username, password]) => ({ username, password })),
    now: Date.now,
  });
  const listener = getRequestListener(new Hono().route('/', routes).fetch);
  broker.serve((request, response) => void listener(request, response));
});
afterAll(async () => {
  await world.close();
  await broker.close();
});
beforeEach(async () => {
  for (const user of ['alice', 'bob']) await world.vault().disconnect(user, 'paper-broker');
});

async function program(user = 'alice', scope = `${ALL_SCOPES} ${CONNECTION_SCOPES}`) {
  const config = await world.loginClient();
  const endpoint = String(config.serverMetadata().connected_accounts_endpoint);
  const keys = await client.randomDPoPKeyPair('ES256');
  const DPoP = client.getDPoPHandle(config, keys);
  const asked = new URLSearchParams({ scope, device_name: 'test', resource: RESOURCE });
  asked.append('resource', endpoint);
  const device = await client.initiateDeviceAuthorization(config, asked);
  await world.phone.completeDevice(user, device.user_code);
  const polled = { ...device, interval: 0 };
  const signedIn = await client.pollDeviceAuthorizationGrant(config, polled, undefined, { DPoP });
  let refreshToken = signedIn.refresh_token ?? '';
  const token = async (asked = CONNECTION_SCOPES, resource = endpoint) => {
    const answer = await client.refreshTokenGrant(config, refreshToken, { scope: asked, resource }, { DPoP });
    refreshToken = answer.refresh_token ?? refreshToken;
    return answer.access_token;
  };
  const ask = async (method: string, path: string, accessToken: string, body?: unknown) => {
    const text = body === undefined ? null : JSON.stringify(body);
    const headers = new Headers({ 'content-type': 'application/json' });
    const url = new URL(`${endpoint}/${path}`);
    const response = await client
      .fetchProtectedResource(config, accessToken, url, method, text, headers, { DPoP })
      .catch((error: unknown) => {
        if (error instanceof client.WWWAuthenticateChallengeError) return error.response;
        throw error;
      });
    return { status: response.status, body: response.status === 204 ? undefined : await response.json() };
  };
  return { config, endpoint, token, ask, signedIn, refreshToken: () => refreshToken };
}

/** A browser that a passkey has signed in, or nobody: it follows nothing by itself. */
async function browser(user: string | undefined) {
  const one =
    user === undefined
      ? createHttpBrowser(world.issuer)
      : (await pairByHttp((await world.phone.pairing(user)).url)).browser;
  const get = async (url: string) => {
    const response = await one.visit(url);
    return { status: response.status, location: ledTo(response), text: await response.text() };
  };
  /** Answers the page of a link: a passkey signs first where the person allows. @returns the third party's address */
  const answer = async (link: string, decision = 'allow') => {
    const ticket = new URL(link).searchParams.get('ticket') ?? '';
    const response =
      decision === 'allow'
        ? await submitSigned(one, link, CONNECT_PATH, { ticket, decision })
        : await one.submit(link, CONNECT_PATH, { ticket, decision });
    return { status: response.status, text: await response.text() };
  };
  const authorize = async (link: string) => authorizeUrlOn((await answer(link)).text);
  return { get, answer, authorize };
}

async function consent(authorizeUrl: string, user: string, decision = 'allow'): Promise<string> {
  const response = await fetch(authorizeUrl, {
    method: 'POST',
    redirect: 'manual',
    body: new URLSearchParams({ username: user, password: passwords[user] ?? '', decision }),
  });
  return response.headers.get('location') ?? '';
}

async function begin(user = 'alice') {
  const own = await program(user);
  const accessToken = await own.token();
  const asked = { connection: 'paper-broker', device_name: 'workstation' };
  const { body } = await own.ask('POST', 'connect', accessToken, asked);
  const started = body as { auth_session: string; connect_uri: string; connect_params: { ticket: string } };
  const link = `${started.connect_uri}?ticket=${started.connect_params.ticket}`;
  const complete = () => own.ask('POST', 'complete', accessToken, { auth_session: started.auth_session });
  return { ...own, accessToken, started, link, complete };
}
const authorizeUrlOn = (page: string) =>
  (/href="([^"]+)" rel="noreferrer" data-testid="continue"/.exec(page)?.[1] ?? '').replaceAll('&amp;', '&');

describe('connecting an account', () => {
  it('shows what is asked, sends the person there and keeps what they allow, in any browser of theirs', async () => {
    const { link, complete, ask, accessToken } = await begin();
    expect(await complete()).toMatchObject({ status: 400, body: { code: 'authorization_pending' } });
    const alice = await browser('alice');
    const page = await alice.get(link);
    expect(page.text).toContain('see your account and change its settings');
    expect(page.text).toMatch(/data-testid="client-name">trade-agent</);
    expect(page.text).toMatch(/data-testid="device-name">workstation</);
    expect(page.text).toContain('Continue only if you started this yourself.');
    expect(authorizeUrlOn(page.text)).toBe('');
    const authorize = new URL(await alice.authorize(link));
    expect(Object.fromEntries(authorize.searchParams)).toMatchObject({
      response_type: 'code',
      scope: 'account:write trading',
      code_challenge_method: 'S256',
      code_challenge: expect.stringMatching(/^[\w-]{43}$/),
      state: expect.stringMatching(/^[\w-]{32}$/),
    });
    const back = await consent(authorize.href, 'alice');
    expect((await alice.get(back)).text).toContain('Connected');
    expect(await complete()).toMatchObject({
      status: 201,
      body: { connection: 'paper-broker', scopes: ['account:write', 'trading'] },
    });
    expect((await ask('GET', 'accounts', accessToken)).body).toMatchObject({
      accounts: [{ id: 'cac_paper-broker', connection: 'paper-broker' }],
    });
    expect((await world.vault().accessToken('alice', 'paper-broker')).accessToken).toBeTypeOf('string');
  });

  it('asks who is there first, and then goes on', async () => {
    const { link } = await begin();
    const { location } = await (await browser(undefined)).get(link);
    expect(location).toMatch(/^\/signin\?next=%2Fconnections%2Fconnect%3Fticket%3D/);
  });

  it('takes a passkey: one who is in by a link only reads and denies', async () => {
    const { link } = await begin();
    const alice = await openLinkByHttp((await world.phone.ticket('alice')).url);
    const page = await alice.visit(link);
    expect(page.status).toBe(403);
    expect(authorizeUrlOn(await page.text())).toBe('');
    // Even with the third party's answer, which her other browser would take.
    const authorize = await (await browser('alice')).authorize(link);
    expect((await alice.visit(await consent(authorize, 'alice'))).status).toBe(403);
    expect(await world.vault().isConnected('alice', 'paper-broker')).toBe(false);
  });

  it('of somebody else by a link that was sent to them is refused', async () => {
    const { link, complete } = await begin('alice');
    const bob = await browser('bob');
    const page = await bob.get(link);
    expect([page.status, authorizeUrlOn(page.text)]).toEqual([403, '']);
    // Even where they were led past the page: alice's own browser gives away the third party's address.
    const authorize = await (await browser('alice')).authorize(link);
    const back = await consent(authorize, 'bob');
    expect((await bob.get(back)).status).toBe(400);
    expect((await (await browser(undefined)).get(back)).status).toBe(401);
    expect(await world.vault().isConnected('alice', 'paper-broker')).toBe(false);
    expect(await world.vault().isConnected('bob', 'paper-broker')).toBe(false);
    expect((await complete()).body).toMatchObject({ code: 'authorization_pending' });
  });

  it('takes an answer once, with its own state, and for its own connection', async () => {
    const { link } = await begin();
    const alice = await browser('alice');
    const authorize = await alice.authorize(link);
    const back = new URL(await consent(authorize, 'alice'));
    const forged = new URL(back);
    forged.searchParams.set('state', 'A'.repeat(32));
    expect((await alice.get(forged.href)).status).toBe(400);
    const elsewhere = new URL(back);
    elsewhere.pathname = '/connections/callback/other-broker';
    expect((await alice.get(elsewhere.href)).status).toBe(400);
    expect(await world.vault().isConnected('alice', 'paper-broker')).toBe(false);
    expect((await alice.get(back.href)).status).toBe(200);
    expect(await world.vault().isConnected('alice', 'paper-broker')).toBe(true);
    expect((await alice.get(back.href)).status).toBe(400);
  });

  it('that the person refuses there is told as that', async () => {
    const { link, complete } = await begin();
    const alice = await browser('alice');
    const back = await consent(await alice.authorize(link), 'alice', 'deny');
    expect((await alice.get(back)).text).toContain('Not connected');
    expect((await complete()).body).toMatchObject({ code: 'access_denied' });
    expect(await world.vault().isConnected('alice', 'paper-broker')).toBe(false);
  });

  it('with a code that is not the third party’s fails, and the link is used up', async () => {
    const { link, complete } = await begin();
    const alice = await browser('alice');
    const state = new URL(await alice.authorize(link)).searchParams.get('state');
    const back = `${world.issuer}/connections/callback/paper-broker?code=nonsense&state=${state}`;
    expect((await alice.get(back)).status).toBe(502);
    expect((await complete()).body).toMatchObject({ code: 'connection_failed' });
  });

  it('goes on after the provider was restarted in between', async () => {
    const { link, complete } = await begin();
    const alice = await browser('alice');
    const authorize = await alice.authorize(link);
    await world.restart();
    expect((await alice.get(await consent(authorize, 'alice'))).status).toBe(200);
    expect((await complete()).status).toBe(201);
  });

  it('that the person refuses on the page is told at once, and the link is used up', async () => {
    const { link, complete } = await begin();
    const alice = await browser('alice');
    expect((await alice.answer(link, 'deny')).text).toContain('Not connected');
    expect((await complete()).body).toMatchObject({ code: 'access_denied' });
    expect((await alice.answer(link, 'deny')).status).toBe(410);
    expect(await alice.authorize(link)).toBe('');
    expect(await world.vault().isConnected('alice', 'paper-broker')).toBe(false);
  });

  it('is allowed by the terminal phone with an enrolled key alone', async () => {
    const { started, complete } = await begin();
    const { ticket } = started.connect_params;
    const options = { phone: `${world.issuer}/phone`, pairingSecret: world.pairingSecret };
    const stranger = createPhoneClient({ ...options, keyOf: () => deriveSoftwareKey('guessed', 'alice') });
    const refused = { code: 'provider_error', message: expect.stringContaining('not connected') };
    await expect(stranger.answerConnection('alice', ticket, 'approve')).rejects.toMatchObject(refused);
    expect((await complete()).body).toMatchObject({ code: 'authorization_pending' });
    expect(await world.phone.answerConnection('alice', ticket, 'approve')).toMatchObject({ status: 'connected' });
    expect((await complete()).status).toBe(201);
  });

  it('can be answered by the terminal phone, once, and by no other user', async () => {
    const { started, complete } = await begin();
    const { ticket } = started.connect_params;
    const unknown = { code: 'not_found' };
    await expect(world.phone.answerConnection('bob', ticket, 'approve')).rejects.toMatchObject(unknown);
    expect(await world.phone.answerConnection('alice', ticket, 'deny')).toMatchObject({ status: 'denied' });
    await expect(world.phone.answerConnection('alice', ticket, 'approve')).rejects.toMatchObject(unknown);
    expect((await complete()).body).toMatchObject({ code: 'access_denied' });
  });
});

describe('disconnecting', () => {
  const connectAlice = () =>
    world.vault().connect('alice', 'paper-broker', { username: 'alice', password: passwords.alice ?? '' });

  it('ends the consent at the third party too, with every token that came of it', async () => {
    const { ask, accessToken } = await begin();
    await connectAlice();
    const { accessToken: atBroker } = await world.vault().accessToken('alice', 'paper-broker');
    expect(tokens.accessToken(atBroker)).toBeDefined();
    expect((await ask('DELETE', 'accounts/cac_paper-broker', accessToken)).status).toBe(204);
    expect(tokens.accessToken(atBroker)).toBeUndefined();
    const gone = world.vault().accessToken('alice', 'paper-broker');
    await expect(gone).rejects.toMatchObject({ refusal: 'not_connected' });
    expect((await ask('DELETE', 'accounts/cac_paper-broker', accessToken)).status).toBe(404);
  });

  it('reaches one’s own account alone', async () => {
    const bob = await begin('bob');
    await connectAlice();
    expect((await bob.ask('GET', 'accounts', bob.accessToken)).body).toEqual({ accounts: [] });
    expect((await bob.ask('DELETE', 'accounts/cac_paper-broker', bob.accessToken)).status).toBe(404);
    expect(await world.vault().isConnected('alice', 'paper-broker')).toBe(true);
  });
});

describe('who may ask', () => {
  const refused = async (response: Promise<{ status: number; body: unknown }>, status: number, code: string) =>
    expect(await response).toMatchObject({ status, body: { code } });

  it('is a token for this very resource, with its scope, of a session that stands', async () => {
    const own = await program();
    const forGateway = await own.token('portfolio:read', RESOURCE);
    await refused(own.ask('GET', 'accounts', forGateway), 401, 'token_audience');
    const reading = await own.token('read:me:connected_accounts');
    expect((await own.ask('GET', 'accounts', reading)).status).toBe(200);
    const connecting = own.ask('POST', 'connect', reading, { connection: 'paper-broker' });
    await refused(connecting, 403, 'insufficient_scope');
    await refused(own.ask('DELETE', 'accounts/x', reading), 403, 'insufficient_scope');
    const headers = { authorization: `Bearer ${reading}` };
    const bearer = await fetch(`${own.endpoint}/accounts`, { headers });
    await refused(
      bearer.json().then((body) => ({ status: bearer.status, body })),
      401,
      'token_bound',
    );
    expect((await fetch(`${own.endpoint}/accounts`)).status).toBe(401);
    await client.tokenRevocation(own.config, own.refreshToken());
    await refused(own.ask('GET', 'accounts', reading), 401, 'token_revoked');
  });

  it('never is a token for the accounts at the gateway’s place, or one from a sign-in that did not ask', async () => {
    const { config, dpop, tokens: signedIn } = await signIn(world);
    const endpoint = String(config.serverMetadata().connected_accounts_endpoint);
    const asked = { scope: 'read:me:connected_accounts', resource: endpoint };
    const call = client.refreshTokenGrant(config, signedIn.refresh_token ?? '', asked, dpop);
    await expect(call).rejects.toMatchObject({ error: expect.stringMatching(/^invalid_(scope|target)$/) });
  });

  it('gets no more of a third party than it may, and nothing of one that is not there', async () => {
    const { ask, accessToken } = await begin();
    const connect = (body: object, code: string) =>
      refused(ask('POST', 'connect', accessToken, { connection: 'paper-broker', ...body }), 400, code);
    await connect({ scopes: ['trading', 'withdraw'] }, 'invalid_scope');
    await connect({ connection: 'constructor' }, 'unknown_connection');
    await connect({ redirect_uri: 'https://evil.example' }, 'invalid_request');
    const bob = await program('bob');
    const { started } = await begin('alice');
    const spied = bob.ask('POST', 'complete', await bob.token(), { auth_session: started.auth_session });
    await refused(spied, 400, 'invalid_request');
  });
});
