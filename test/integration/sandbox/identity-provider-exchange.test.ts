import { getRequestListener } from '@hono/node-server';
import Database from 'better-sqlite3-multiple-ciphers';
import { generateKeyPair, SignJWT } from 'jose';
import * as client from 'openid-client';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ActiveFaults } from '../../../src/home/identity-provider/faults.ts';
import type { VaultConnection } from '../../../src/home/identity-provider/third-party.ts';
import { createVault } from '../../../src/home/identity-provider/vault.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { createMarket } from '../../../src/sandbox/market/market.ts';
import { createPaperBroker } from '../../../src/sandbox/paper-broker/paper-broker.ts';
import { prepareHomeDatabase } from '../../../src/store/home/schema.ts';
import { createSqliteTransactions } from '../../../src/store/sqlite/sql-database.ts';
import { details, EXCHANGE, listen, RESOURCE, refusal, signIn } from './identity-provider-fixture.ts';
import { approval, decide, ownProvider, refused, travel, withProvider, world } from './provider-desk.ts';

const ACCESS_TOKEN = 'urn:ietf:params:oauth:token-type:access_token';
const vaultClient = { client_id: 'trade-agent-vault', client_secret: 'vault-client-secret' };
const redirectUri = 'http://127.0.0.1:9/connections/callback';
const passwords = { alice: 'alice-at-the-broker', bob: 'bob-at-the-broker' };

let broker: Awaited<ReturnType<typeof startBroker>>;

async function startBroker() {
  const database = prepareHomeDatabase(new Database(':memory:'));
  let listener: Parameters<typeof listen>[0] = (_request, response) => response.end();
  const tokenRequests: string[] = [];
  let answering = true;
  const server = await listen((request, response) => {
    if (request.url === '/oauth/token') tokenRequests.push(request.url);
    if (answering) listener(request, response);
    else response.destroy();
  });
  const paper = createPaperBroker({
    url: server.url,
    database,
    market: createMarket({ seed: 'vault', clock: systemClock, hours: 'always' }),
    clock: systemClock,
    faults: new ActiveFaults(),
    users: Object.entries(passwords).map(([username, password]) => ({ username, password, name: username })),
    oauthClients: [{ ...vaultClient, redirect_uris: [redirectUri] }],
  });
  const handle = getRequestListener(paper.app.fetch);
  listener = (request, response) => void handle(request, response);
  return {
    url: server.url,
    tokenRequests,
    setAnswering: (value: boolean) => {
      answering = value;
    },
    accountOf: async (token: string) => {
      const headers = { authorization: `Bearer ${token}` };
      const response = await fetch(`${server.url}/v2/account`, { headers });
      return ((await response.json()) as { account_number: string }).account_number;
    },
    close: async () => {
      paper.close();
      await server.close();
      database.close();
    },
  };
}

const connections = (): Record<string, VaultConnection> => ({
  'paper-broker': { url: broker.url, client: vaultClient, redirectUri },
});

beforeAll(async () => {
  broker = await startBroker();
});
withProvider(() => ({ connections: connections() }));
afterAll(() => broker.close());

async function exchange(subjectToken: string, parameters: Record<string, string> = {}, config?: client.Configuration) {
  return client.genericGrantRequest(config ?? (await world.gatewayClient()), EXCHANGE, {
    subject_token: subjectToken,
    subject_token_type: ACCESS_TOKEN,
    audience: 'paper-broker',
    ...parameters,
  });
}

describe('token exchange', () => {
  let token: string;
  beforeAll(async () => {
    for (const user of ['alice', 'bob'] as const) {
      await world.vault().connect(user, 'paper-broker', { username: user, password: passwords[user] });
    }
    token = (await signIn(world)).tokens.access_token;
  });

  it("gives the gateway the user's own token at the broker", async () => {
    const exchanged = await exchange(token);
    expect(exchanged).toMatchObject({ token_type: 'bearer', issued_token_type: ACCESS_TOKEN });
    expect(exchanged.expires_in).toBeGreaterThan(60);
    expect(exchanged.refresh_token).toBeUndefined();
    const account = await broker.accountOf(exchanged.access_token);
    expect(account).toContain('ALICE');
    const bob = await exchange((await signIn(world, { user: 'bob' })).tokens.access_token);
    expect(await broker.accountOf(bob.access_token)).not.toBe(account);
  });

  it('takes the token of an approval too', async () => {
    const request = await approval.ask(details());
    await decide();
    const { access_token: approved } = await approval.poll(request.auth_req_id);
    expect((await exchange(approved)).access_token).toBeTypeOf('string');
  });

  it('is for the gateway alone', async () => {
    const { config } = await signIn(world);
    expect(await refusal(exchange(token, {}, config))).toBe('invalid_request');
    expect(await refusal(exchange(token, {}, approval.config))).toBe('invalid_request');
    const impostor = await world.discover(
      'trade-agent-gateway',
      {},
      client.PrivateKeyJwt({ key: (await generateKeyPair('ES256')).privateKey, kid: 'gateway' }),
    );
    expect(await refusal(exchange(token, {}, impostor))).toBe('invalid_client');
  });

  it('names the user who has no account connected', async () => {
    const own = await ownProvider({ connections: connections() });
    const { tokens } = await signIn(own);
    const call = exchange(tokens.access_token, {}, await own.gatewayClient());
    await expect(call).rejects.toMatchObject({
      error: 'invalid_target',
      error_description: 'alice has not connected an account through "paper-broker"',
    });
  });

  it('knows no other connection', async () => {
    expect(await refusal(exchange(token, { audience: 'another-broker' }))).toBe('invalid_target');
    expect(await refusal(exchange(token, { audience: 'constructor' }))).toBe('invalid_target');
  });

  it('refuses a token that was not signed here, has expired, or is for somebody else', async () => {
    const { privateKey } = await generateKeyPair('ES256');
    const now = Math.floor(Date.now() / 1000);
    const forged = await new SignJWT({ client_id: 'trade-agent', jti: 'x', scope: 'market:read' })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
      .setIssuer(world.issuer)
      .setAudience(RESOURCE)
      .setSubject('alice')
      .setIssuedAt(now)
      .setExpirationTime(now + 600)
      .sign(privateKey);
    expect(await refusal(exchange(forged))).toBe('invalid_request');
    const [header, payload, signature] = token.split('.');
    const claims = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString());
    const altered = Buffer.from(JSON.stringify({ ...claims, sub: 'bob' })).toString('base64url');
    expect(await refusal(exchange(`${header}.${altered}.${signature}`))).toBe('invalid_request');
    const none = Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url');
    expect(await refusal(exchange(`${none}.${payload}.`))).toBe('invalid_request');
    const { tokens } = await signIn(world);
    expect(await refusal(exchange(tokens.id_token ?? ''))).toBe('invalid_request');
    expect(await refusal(exchange(tokens.refresh_token ?? ''))).toBe('invalid_request');
  });

  it('refuses an expired token', async () => {
    const { tokens } = await signIn(world);
    const config = await world.gatewayClient();
    travel(601_000);
    await refused(exchange(tokens.access_token, {}, config), 'invalid_request');
  });

  it('refuses the token of a session that was signed out', async () => {
    const { config, tokens } = await signIn(world);
    expect((await exchange(tokens.access_token)).access_token).toBeTypeOf('string');
    await client.tokenRevocation(config, tokens.refresh_token ?? '');
    expect(await refusal(exchange(tokens.access_token))).toBe('invalid_request');
  });

  it('refuses other kinds of token', async () => {
    const saml = 'urn:ietf:params:oauth:token-type:saml2';
    expect(await refusal(exchange(token, { subject_token_type: saml }))).toBe('invalid_request');
    expect(await refusal(exchange(token, { requested_token_type: saml }))).toBe('invalid_request');
    const acting = { actor_token: token, actor_token_type: ACCESS_TOKEN };
    await refused(exchange(token, acting), 'invalid_request');
  });

  it('says that the broker is out of reach without ending the connection', async () => {
    await world.restart();
    broker.setAnswering(false);
    try {
      await expect(exchange(token)).rejects.toMatchObject({ cause: { status: 503 } });
    } finally {
      broker.setAnswering(true);
    }
    expect((await exchange(token)).access_token).toBeTypeOf('string');
  });
});

describe('the vault', () => {
  let database: Database.Database;
  let skew = 0;
  beforeEach(() => {
    skew = 0;
    database = prepareHomeDatabase(new Database(':memory:'));
    broker.tokenRequests.length = 0;
  });
  const open = (options: { key?: Buffer } = {}) =>
    createVault({
      database: createSqliteTransactions(database),
      key: options.key ?? Buffer.alloc(32, 1),
      connections: connections(),
      clock: { ...systemClock, now: () => Date.now() + skew },
    });
  const connect = (vault: ReturnType<typeof open>) =>
    vault.connect('alice', 'paper-broker', { username: 'alice', password: passwords.alice });

  it('asks the broker for a token only when the last one is about to end', async () => {
    const vault = open();
    await connect(vault);
    const { accessToken } = await vault.accessToken('alice', 'paper-broker');
    expect(await vault.accessToken('alice', 'paper-broker')).toMatchObject({ accessToken });
    expect(broker.tokenRequests).toHaveLength(1);
    skew = 14.5 * 60_000;
    expect((await vault.accessToken('alice', 'paper-broker')).accessToken).not.toBe(accessToken);
    expect(broker.tokenRequests).toHaveLength(2);
  });

  it('refreshes once for many who ask at the same moment, and keeps the rotated token', async () => {
    await connect(open());
    const restarted = open();
    const tokens = await Promise.all([1, 2, 3, 4, 5].map(() => restarted.accessToken('alice', 'paper-broker')));
    expect(new Set(tokens.map(({ accessToken }) => accessToken)).size).toBe(1);
    expect(broker.tokenRequests).toHaveLength(2);
    expect((await open().accessToken('alice', 'paper-broker')).accessToken).toBeTypeOf('string');
  });

  it('refreshes in one process after the other, so that the broker never sees a refresh token twice', async () => {
    await connect(open());
    const tokens = await Promise.all([open(), open()].map((vault) => vault.accessToken('alice', 'paper-broker')));
    expect(new Set(tokens.map(({ accessToken }) => accessToken)).size).toBe(2);
    expect(broker.tokenRequests).toHaveLength(3);
    expect(await open().isConnected('alice', 'paper-broker')).toBe(true);
  });

  it('does not connect with a wrong password', async () => {
    const vault = open();
    const wrong = vault.connect('alice', 'paper-broker', { username: 'alice', password: 'wrong' });
    await expect(wrong).rejects.toMatchObject({ refusal: 'not_connected' });
    expect(await vault.isConnected('alice', 'paper-broker')).toBe(false);
  });

  it('says so when the broker no longer accepts the connection, and forgets it', async () => {
    const vault = open();
    await connect(vault);
    const stolen = database.prepare('SELECT sealed_refresh_token FROM vault_connections').pluck().get();
    skew = 15 * 60_000;
    await vault.accessToken('alice', 'paper-broker');
    // The used refresh token back in place: the broker takes its second use for theft.
    database.prepare('UPDATE vault_connections SET sealed_refresh_token = ?').run(stolen);
    skew = 30 * 60_000;
    const refusal = 'reconnect_needed';
    await expect(vault.accessToken('alice', 'paper-broker')).rejects.toMatchObject({ refusal });
    expect(await vault.isConnected('alice', 'paper-broker')).toBe(false);
  });

  it('keeps no token in the clear, and opens nothing with another key or for another user', async () => {
    const seen: string[] = [];
    const vault = createVault({
      database: createSqliteTransactions(database),
      key: Buffer.alloc(32, 1),
      connections: connections(),
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        if (String(url).endsWith('/oauth/token')) {
          const body = (await response.clone().json()) as { access_token: string; refresh_token: string };
          seen.push(body.access_token, body.refresh_token);
        }
        return response;
      },
    });
    await connect(vault);
    const file = database.serialize();
    expect(seen).toHaveLength(2);
    for (const secret of seen) expect(file.includes(secret)).toBe(false);
    await expect(open({ key: Buffer.alloc(32, 2) }).accessToken('alice', 'paper-broker')).rejects.toThrow();
    database.prepare("UPDATE vault_connections SET username = 'bob'").run();
    await expect(open().accessToken('bob', 'paper-broker')).rejects.toThrow();
  });
});
