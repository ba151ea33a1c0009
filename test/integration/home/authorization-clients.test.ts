import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { decodeJwt } from 'jose';
import * as client from 'openid-client';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ResolverBusyError } from '../../../src/net/outbound-client.ts';
import { certificate, refusal, startIdentityProvider } from '../sandbox/identity-provider-fixture.ts';
import { pairByHttp } from './http-browser.ts';
import { ask, CALLBACK, letIn, MCP_SCOPES, publicClient, publicMetadata, register } from './public-client.ts';

const DAY = 24 * 3_600_000;
const PUBLIC = '93.184.215.14';
const ID = 'https://agent.example/oauth/client.json';

/** What is published where: each client's document, and what else its server would answer. */
const documents = new Map<string, () => Response | Promise<Response>>();
let fetched: string[] = [];
let guarded = true;
const published = (id: string, changes: Record<string, unknown> = {}, headers: Record<string, string> = {}) =>
  documents.set(id, () => Response.json({ client_id: id, ...documented, ...changes }, { headers }));
const documented = {
  client_name: 'Agent',
  redirect_uris: ['http://127.0.0.1/callback'],
  token_endpoint_auth_method: 'none',
};

let address = '192.0.2.1';
let resolve: (host: string) => Promise<readonly string[]> = async () => [PUBLIC];
const world = await startIdentityProvider({
  resolve: (host) => resolve(host),
  clientAddress: (_request: IncomingMessage) => address,
  documents: async (url, init = {}) => {
    fetched.push(String(url));
    guarded &&= init.redirect === 'manual' && init.signal instanceof AbortSignal;
    const answer = documents.get(String(url));
    if (answer === undefined) return new Response(null, { status: 404 });
    const slow = new Promise<never>((_resolve, reject) =>
      init.signal?.addEventListener('abort', () => reject(init.signal?.reason)),
    );
    return Promise.race([answer(), slow]);
  },
});
const alice = (await pairByHttp((await world.phone.pairing('alice')).url)).browser;
afterAll(() => world.close());
let addresses = 0;
beforeEach(() => {
  addresses += 1;
  address = `198.51.100.${addresses}`;
  fetched = [];
});
afterEach(() => {
  vi.useRealTimers();
  documents.clear();
  resolve = async () => [PUBLIC];
});

async function refusedPage(url: URL): Promise<string> {
  const answer = await fetch(url, { redirect: 'manual' });
  expect(answer.status).toBeGreaterThanOrEqual(400);
  return await answer.text();
}

describe('a client that says who it is at its own address (CIMD)', () => {
  it('is let in, goes by its host, and is read once, without a redirect', async () => {
    published(ID);
    const program = await publicClient(world, ID);
    const page = await (await alice.visit(await ask(alice, program.url()))).text();
    expect(page).toContain('it identifies itself at <strong data-testid="client-host">agent.example</strong>');
    const tokens = await program.redeem(await letIn(alice, program.url()));
    expect(decodeJwt(tokens.access_token)).toMatchObject({
      client_id: ID,
      client_name: 'Agent (agent.example)',
      scope: MCP_SCOPES,
    });
    expect(fetched).toEqual([ID]);
    expect(guarded).toBe(true);
    expect(world.database().prepare("SELECT 1 FROM oidc_entities WHERE model = 'Client' AND id = ?").get(ID)).toBe(
      undefined,
    );
  });

  it('may say that it is a web client, or name scopes, which is no cap here', async () => {
    const id = `${ID}?web`;
    published(id, {
      application_type: 'web',
      scope: 'market:read',
      redirect_uris: ['http://localhost/callback'],
    });
    const program = await publicClient(world, id);
    const callback = await letIn(alice, program.url({ redirect_uri: 'http://localhost:50001/callback' }));
    expect(new URL(callback).port).toBe('50001');
    expect(decodeJwt((await program.redeem(callback)).access_token).scope).toBe(MCP_SCOPES);
  });

  it.each<[string, (id: string) => void]>([
    ['is not there', () => {}],
    ['redirects', (id) => documents.set(id, () => Response.redirect('https://elsewhere.example/client.json'))],
    ['is too large', (id) => published(id, { client_name: 'x'.repeat(6000) })],
    ['is no JSON', (id) => documents.set(id, () => new Response('<html>'))],
    ['names another client', (id) => published(id, { client_id: 'https://elsewhere.example/' })],
    ['has a secret', (id) => published(id, { client_secret: 'x' })],
    ['wants a secret', (id) => published(id, { token_endpoint_auth_method: 'client_secret_post' })],
    ['proves itself by a key', (id) => published(id, { token_endpoint_auth_method: 'private_key_jwt' })],
    ['would ask for approvals', (id) => published(id, { grant_types: ['urn:openid:params:grant-type:ciba'] })],
    ['is answered over plain http', (id) => published(id, { redirect_uris: ['http://agent.example/callback'] })],
    ['is answered by a scheme of its own', (id) => published(id, { redirect_uris: ['agent:callback'] })],
    ['is answered nowhere', (id) => published(id, { redirect_uris: [] })],
  ])('is refused where its document %s', async (name, publish) => {
    const id = `https://agent.example/${encodeURIComponent(name)}`;
    publish(id);
    expect(await refusedPage((await publicClient(world, id)).url())).toContain("can't be given access");
    expect(fetched).toEqual([id]);
  });

  it('is refused where its document takes longer than 1.8 s', async () => {
    const id = 'https://slow.example/client.json';
    documents.set(id, () => new Promise(() => {}));
    const begun = Date.now();
    expect(await refusedPage((await publicClient(world, id)).url())).toContain('fetch failed');
    expect(Date.now() - begun).toBeGreaterThan(1700);
    expect(Date.now() - begun).toBeLessThan(5000);
  });

  it.each(['https://127.0.0.1/client.json', 'https://[::ffff:10.0.0.1]/client.json', 'https://localhost/client.json'])(
    'is not asked on this machine or its network: %s',
    async (id) => {
      published(id);
      resolve = async () => ['127.0.0.1'];
      expect(await refusedPage((await publicClient(world, id)).url())).toContain(
        'not an address on the public internet',
      );
      expect(fetched).toEqual([]);
    },
  );

  it.each([
    'http://agent.example/client.json',
    'https://user@agent.example/x',
    'https://agent.example/../x',
    'file:///etc/passwd',
  ])('is nobody where its id is %s', async (id) => {
    published(id);
    expect(await refusedPage((await publicClient(world, id)).url())).toContain("can't be given access");
    expect(fetched).toEqual([]);
  });

  it('is not reached by a name that leads elsewhere once it is asked (DNS rebinding)', async () => {
    let connections = 0;
    let requests = 0;
    const server = createServer(certificate, () => {
      requests += 1;
    });
    server.on('connection', () => {
      connections += 1;
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    // What guards is what is used where nothing is injected.
    const answers = [[PUBLIC], ['127.0.0.1']];
    const own = await startIdentityProvider({ resolve: async () => answers.shift() ?? [] });
    try {
      const id = `https://localhost:${port}/client.json`;
      expect(await refusedPage((await publicClient(own, id)).url())).toContain('fetch failed');
      expect(answers).toEqual([]);
      expect([connections, requests]).toEqual([0, 0]);
    } finally {
      await own.close();
      server.close();
    }
  });

  it('is told to come again while too many names are being resolved, and is let in after that', async () => {
    const id = 'https://busy.example/client.json';
    published(id);
    resolve = async () => {
      throw new ResolverBusyError();
    };
    const program = await publicClient(world, id);
    expect((await fetch(program.url(), { redirect: 'manual' })).status).toBe(429);
    expect(fetched).toEqual([]);
    resolve = async () => [PUBLIC];
    expect(new URL(await letIn(alice, program.url())).searchParams.get('code')).not.toBeNull();
  });

  it('is told to come again while sixteen documents are being read, whoever has them read', async () => {
    const open = Promise.withResolvers<void>();
    const ids = Array.from({ length: 16 }, (_, i) => `https://many-at-once.example/${i}`);
    for (const id of ids) {
      documents.set(id, async () => {
        await open.promise;
        return new Response(null, { status: 404 });
      });
    }
    const others = await Promise.all(ids.map(async (id) => (await publicClient(world, id)).url()));
    const waiting = others.map((url) => fetch(url, { redirect: 'manual' }));
    await expect.poll(() => fetched).toHaveLength(16);
    address = '203.0.113.9';
    const id = 'https://one-more.example/client.json';
    published(id);
    const one = (await publicClient(world, id)).url();
    expect((await fetch(one, { redirect: 'manual' })).status).toBe(429);
    open.resolve();
    await Promise.all(waiting);
    expect((await fetch(one, { redirect: 'manual' })).status).toBe(303);
  });

  it('is as its document says today: what is no longer in it no longer counts', async () => {
    const id = 'https://changing.example/client.json';
    published(id, {}, { 'cache-control': 'max-age=60' });
    const program = await publicClient(world, id);
    const { refresh_token = '' } = await program.redeem(await letIn(alice, program.url()));
    published(id, { redirect_uris: ['https://attacker.example/callback'] });
    await letIn(alice, program.url());
    expect(fetched).toHaveLength(1);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61_000 });
    expect(await refusedPage(program.url())).toContain('redirect_uri');
    expect(fetched).toHaveLength(2);
    // Whom a person let in goes on, and still goes by the name that was shown.
    const { access_token } = await program.refresh(refresh_token);
    expect(decodeJwt(access_token).client_name).toBe('Agent (changing.example)');
  });

  it('is read twenty times at most at one address’s bidding, which keeps nobody else out', async () => {
    for (let i = 0; i < 20; i++) await refusedPage((await publicClient(world, `https://many.example/${i}`)).url());
    expect(fetched).toHaveLength(20);
    published(ID);
    const other = (await publicClient(world, 'https://many.example/21')).url();
    expect((await fetch(other, { redirect: 'manual' })).status).toBe(429);
    expect(fetched).toHaveLength(20);
    address = '203.0.113.7';
    expect(await refusedPage(other)).toContain('fetch failed');
  });
});

describe('a client that registers itself', () => {
  it('gets no secret, and what it did not say', async () => {
    const { status, body } = await register(world.issuer, {
      response_types: undefined,
      grant_types: undefined,
      token_endpoint_auth_method: undefined,
      application_type: 'web',
      scope: 'orders:write offline_access',
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      application_type: 'native',
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
    });
    // What it may have replaces what it asked for (RFC 7591 §3.2.1).
    expect(body.scope).toBe(`openid offline_access ${MCP_SCOPES}`);
    for (const name of ['client_secret', 'registration_access_token']) expect(body).not.toHaveProperty(name);
  });

  it('has what else it asks for left out', async () => {
    const { body } = await register(world.issuer, {
      grant_types: [...publicMetadata.grant_types, 'urn:ietf:params:oauth:grant-type:device_code'],
      jwks_uri: 'https://127.0.0.1/keys',
      authorization_details_types: ['trade_order'],
    });
    expect(body.grant_types).toEqual(['authorization_code', 'refresh_token']);
    expect(body).not.toHaveProperty('jwks_uri');
    expect(body.authorization_details_types ?? []).toEqual([]);
  });

  it.each<[string, Record<string, unknown>]>([
    ['with a secret', { token_endpoint_auth_method: 'client_secret_basic' }],
    ['without a way to be answered', { redirect_uris: [] }],
    ['answered over plain http', { redirect_uris: ['http://agent.example/callback'] }],
    ['answered by a scheme that is anybody’s', { redirect_uris: ['agent://callback'] }],
    ['answered by a script', { redirect_uris: ['javascript:alert(1)'] }],
    ['answered by one good and one bad', { redirect_uris: [CALLBACK, 'http://10.0.0.1/callback'] }],
    ['answered with a fragment', { redirect_uris: ['https://agent.example/#x'] }],
    [
      'answered at far too many places',
      { redirect_uris: Array.from({ length: 21 }, (_, i) => `https://a.example/${i}`) },
    ],
    ['for implicit grants', { grant_types: ['implicit'], response_types: ['token'] }],
    ['without a code', { grant_types: ['client_credentials'] }],
  ])('is refused %s', async (_, changes) => {
    const { status, body } = await register(world.issuer, changes);
    expect(status).toBe(400);
    expect(body.error).toMatch(/^invalid_(client_metadata|redirect_uri)$/);
  });

  it('rings nobody and opens nothing before a person has let it in', async () => {
    const { config } = await publicClient(world);
    expect(await world.phone.requests('alice')).toEqual([]);
    for (const grant of ['client_credentials', 'urn:openid:params:grant-type:ciba', 'refresh_token']) {
      const parameters = { auth_req_id: 'x', refresh_token: 'x' };
      expect(await refusal(client.genericGrantRequest(config, grant, parameters))).toMatch(
        /^(unauthorized_client|unsupported_grant_type|invalid_grant|invalid_request)$/,
      );
    }
  });

  it('twenty times from one address is told to come again, and keeps nobody else out', async () => {
    const statuses = [];
    for (let i = 0; i < 21; i++) statuses.push((await register(world.issuer)).status);
    expect(statuses).toEqual([...Array.from({ length: 20 }, () => 201), 429]);
    address = '203.0.113.8';
    expect((await register(world.issuer)).status).toBe(201);
  });

  it('is forgotten after a day, unless a person let it in', async () => {
    const [unused, used] = [await publicClient(world), await publicClient(world)];
    await letIn(alice, used.url());
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + DAY + 1000 });
    await register(world.issuer);
    expect(await refusedPage(unused.url())).toContain('client is invalid');
    expect(await ask(alice, used.url())).toMatch(/^\/authorize\/consent\//);
  });

  it('drowns nobody else’s: of more than 500 the oldest of whoever has most go', async () => {
    const [used, first] = [await publicClient(world), await publicClient(world)];
    await letIn(alice, used.url());
    const insert = world.database().prepare('INSERT INTO open_registrations VALUES (?, ?, ?)');
    for (let i = 0; i < 600; i++) insert.run(`flood-${i}`, '192.0.2.66', Date.now());
    await register(world.issuer);
    const left = world.database().prepare<[], { n: number }>('SELECT count(*) AS n FROM open_registrations');
    expect(left.get()?.n).toBeLessThan(520);
    expect((await fetch(first.url(), { redirect: 'manual' })).status).toBe(303);
    expect((await fetch(used.url(), { redirect: 'manual' })).status).toBe(303);
  });
});

describe('a client that the home lists', () => {
  it('is let in by the same page', async () => {
    const own = await startIdentityProvider({
      knownClients: [
        {
          ...publicMetadata,
          client_id: 'listed',
          application_type: 'native',
          response_types: ['code'],
        } as never,
      ],
    });
    try {
      const { browser } = await pairByHttp((await own.phone.pairing('alice')).url);
      const program = await publicClient(own, 'listed');
      const tokens = await program.redeem(await letIn(browser, program.url()));
      expect(decodeJwt(tokens.access_token).client_id).toBe('listed');
    } finally {
      await own.close();
    }
  });
});
