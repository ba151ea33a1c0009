import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { exportJWK, generateKeyPair } from 'jose';
import * as client from 'openid-client';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { CibaApprovalClient } from '../../../src/approval/ciba/ciba-approval-client.ts';
import { toOrderDraft } from '../../../src/home/identity-provider/approval-subject.ts';
import { createPublicFetch, ResolverBusyError } from '../../../src/net/outbound-client.ts';
import { orderBindingText } from '../../../src/trading/approval-details.ts';
import {
  ALL_SCOPES,
  CIBA,
  details,
  RESOURCE,
  refusal,
  registerApprovalClient,
  signIn,
  startIdentityProvider,
} from '../sandbox/identity-provider-fixture.ts';

const DAY = 24 * 3_600_000;

let resolve: (host: string) => Promise<readonly string[]> = async () => ['93.184.215.14'];
const world = await startIdentityProvider({ resolve: (host) => resolve(host) });
afterAll(() => world.close());
afterEach(() => {
  resolve = async () => ['93.184.215.14'];
  vi.useRealTimers();
});

async function metadata(changes: Record<string, unknown> = {}) {
  const { publicKey } = await generateKeyPair('ES256', { extractable: true });
  return {
    client_name: 'a robot',
    grant_types: [CIBA],
    response_types: [],
    token_endpoint_auth_method: 'private_key_jwt',
    backchannel_token_delivery_mode: 'poll',
    authorization_details_types: ['trade_order'],
    jwks: { keys: [{ ...(await exportJWK(publicKey)), kid: 'k', alg: 'ES256', use: 'sig' }] },
    ...changes,
  };
}

const ping = (endpoint: string) => ({
  backchannel_token_delivery_mode: 'ping',
  backchannel_client_notification_endpoint: endpoint,
});

/** Registers by hand. */
async function register(headers: Record<string, string>, changes: Record<string, unknown> = {}) {
  const response = await fetch(`${world.issuer}/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(await metadata(changes)),
  });
  const body = (await response.json()) as { error?: string; client_id?: string; scope?: string };
  const { error, client_id: id, scope } = body;
  return { status: response.status, error, id, scope, headers: response.headers };
}

const byToken = async (user = 'alice') => ({
  authorization: `Bearer ${(await world.phone.registrationToken(user)).token}`,
});

/** What a proof is made with; the library keeps it to itself. */
interface Prover {
  addProof(url: URL, headers: Headers, method: string, token: string): Promise<void>;
}

/** As the program that a person is signed in with: makes the headers of a request. */
async function bySession(options: { user?: string; scope?: string } = {}) {
  const session = await signIn(world, { scope: `${ALL_SCOPES} orders:propose`, ...options });
  const token = session.tokens.access_token;
  const headers = async (path = '/register', method = 'POST') => {
    const proof = new Headers();
    await (session.dpop.DPoP as unknown as Prover).addProof(new URL(path, world.issuer), proof, method, token);
    return { authorization: `DPoP ${token}`, dpop: proof.get('dpop') ?? '' };
  };
  return { ...session, token, headers };
}

const clients = () => world.database().prepare("SELECT count(*) AS n FROM oidc_entities WHERE model = 'Client'").get();

describe('registration without a person', () => {
  it('is refused, and says where a token is to be had', async () => {
    const answer = await register({});
    expect(answer).toMatchObject({ status: 401, error: 'invalid_token' });
    expect(answer.headers.get('www-authenticate')).toContain('Bearer');
    expect(answer.headers.get('cache-control')).toBe('no-store');
  });

  it.each<[string, Record<string, string>]>([
    ['a made-up token', { authorization: `Bearer ${'x'.repeat(43)}` }],
    ['a password', { authorization: 'Basic YWxpY2U6c2VjcmV0' }],
    ['half a token', { authorization: 'Bearer x' }],
    ['two schemes', { authorization: `Bearer ${'x'.repeat(43)}, DPoP y` }],
  ])('is refused with %s', async (_, headers) => {
    expect(await register(headers)).toMatchObject({ status: 401, error: 'invalid_token' });
  });

  it('keeps nothing', async () => {
    const before = clients();
    await register({});
    await register({ authorization: `Bearer ${'x'.repeat(43)}` });
    expect(clients()).toEqual(before);
  });
});

describe('registration by a session', () => {
  it('is refused, because no key is used for it', async () => {
    const session = await bySession();
    const before = clients();
    expect(await register(await session.headers())).toMatchObject({ status: 401, error: 'invalid_token' });
    expect(clients()).toEqual(before);
  });
});

describe('a registration token', () => {
  it('lets one client in', async () => {
    const headers = await byToken();
    const answers = await Promise.all([register(headers), register(headers)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 401]);
    expect((await register(headers)).status).toBe(401);
  });

  it('is good for another try where nothing was let in', async () => {
    const headers = await byToken();
    expect(await register(headers, { token_endpoint_auth_method: 'none' })).toMatchObject({
      status: 400,
      error: 'invalid_client_metadata',
    });
    expect((await register(headers)).status).toBe(201);
  });

  it('is good for a client that asks for all the scopes that are listed, and gets an approval’s', async () => {
    const discovered = await fetch(`${world.issuer}/.well-known/oauth-authorization-server`);
    const { scopes_supported: listed } = (await discovered.json()) as { scopes_supported: string[] };
    const answer = await register(await byToken(), { scope: listed.join(' ') });
    expect(answer).toMatchObject({ status: 201, scope: 'openid orders:write messages:write' });
    const robot = await registerApprovalClient(world, { scope: listed.join(' ') }, 'alice');
    for (const scope of ['openid orders:write orders:read', 'openid orders:propose', listed.join(' ')]) {
      expect(await refusal(robot.ask(details(), { scope }))).toBe('invalid_scope');
    }
    expect(await robot.ask(details())).toHaveProperty('auth_req_id');
    const unknown = { scope: 'openid orders:everything' };
    expect(await register(await byToken(), unknown)).toMatchObject({ status: 400, error: 'invalid_client_metadata' });
  });

  it('is over after ten minutes', async () => {
    const headers = await byToken();
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 10 * 60_000 });
    expect((await register(headers)).status).toBe(401);
  });

  it('lets in no more than twenty clients of a person, and keeps nobody else out', async () => {
    const own = await startIdentityProvider();
    try {
      for (let i = 0; i < 20; i++) await registerApprovalClient(own, {}, 'bob');
      expect(await refusal(registerApprovalClient(own, {}, 'bob'))).toBe('access_denied');
      await registerApprovalClient(own, {}, 'alice');
    } finally {
      await own.close();
    }
  });
});

describe('a client that was let in', () => {
  const shown = async (name: string) =>
    (await world.phone.requests('bob')).filter(({ client_name }) => client_name === name).at(-1)?.client_note;

  it('is told of as new and unverified for a week, with its host', async () => {
    const robot = await registerApprovalClient(
      world,
      { client_name: 'a robot', ...ping('https://robot.example/ping') },
      'bob',
    );
    const ask = () => robot.ask(details(), { client_notification_token: 'notification-token' });
    await ask();
    const since = new Date().toISOString().slice(0, 10);
    expect(await shown('a robot')).toBe(`New app, unverified, claims to be robot.example. Allowed on ${since}.`);
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 7 * DAY });
    await ask();
    expect(await shown('a robot')).toBe(`Unverified app, claims to be robot.example. Allowed on ${since}.`);
  });

  it('is told of without a host where it names none', async () => {
    const robot = await registerApprovalClient(world, { client_name: 'a homeless robot' }, 'bob');
    await robot.ask(details());
    expect(await shown('a homeless robot')).toMatch(/^New app, unverified\. Allowed on /);
  });

  it('asks its owner alone, and does not learn who else lives here', async () => {
    const robot = await registerApprovalClient(world, {}, 'alice');
    for (const login_hint of ['bob', 'nobody']) {
      expect(await refusal(robot.ask(details(), { login_hint }))).toBe('unknown_user_id');
    }
    // Nor by an ID token of the other person.
    const bob = await signIn(world, { user: 'bob' });
    expect(
      await refusal(
        client.initiateBackchannelAuthentication(robot.config, {
          scope: 'openid orders:write',
          id_token_hint: bob.tokens.id_token ?? '',
          authorization_details: JSON.stringify([details()]),
          resource: RESOURCE,
        }),
      ),
    ).toMatch(/^(unknown_user_id|invalid_request)$/);
  });
});

describe('the access of a client that was let in', () => {
  it('ends after ninety days, with an error that says so, and shows when it was last used', async () => {
    const robot = await registerApprovalClient(world, { client_name: 'a temporary robot' }, 'bob');
    const row = () =>
      world
        .database()
        .prepare<[string], { ends_at: number; used_at: number | null }>(
          'SELECT ends_at, used_at FROM registered_clients WHERE client_id = ?',
        )
        .get(robot.config.clientMetadata().client_id);
    expect(row()?.used_at).toBeNull();
    const { auth_req_id: waiting } = await robot.ask(details());
    expect(row()?.used_at).toBeGreaterThan(Date.now() - 60_000);
    const end = row()?.ends_at ?? 0;
    expect(Math.round((end - Date.now()) / DAY)).toBe(90);
    vi.useFakeTimers({ toFake: ['Date'], now: end - 60_000 });
    await robot.ask(details());
    vi.useFakeTimers({ toFake: ['Date'], now: end });
    const ended = { error: 'invalid_client', error_description: expect.stringContaining('ended on') };
    await expect(robot.ask(details())).rejects.toMatchObject(ended);
    await expect(robot.poll(waiting)).rejects.toMatchObject(ended);
  });
});

describe('a ping endpoint', () => {
  it.each([
    'https://127.0.0.1/ping',
    'https://[::ffff:127.0.0.1]/ping',
    'https://192.168.1.1/ping',
    'https://localhost/ping',
  ])('on this machine or its network is refused: %s', async (endpoint) => {
    resolve = async () => ['127.0.0.1'];
    expect(await register(await byToken(), ping(endpoint))).toMatchObject({
      status: 400,
      error: 'invalid_client_metadata',
    });
  });

  it.each<[string, () => Promise<string[]>]>([
    ['a private address', async () => ['192.168.0.7']],
    ['a public and a private one', async () => ['93.184.215.14', '::1']],
    ['none', async () => []],
    [
      'nothing that can be found',
      async () => {
        throw new Error('ENOTFOUND');
      },
    ],
  ])('whose name has %s is refused, and leaves no client behind', async (_, found) => {
    resolve = found;
    const headers = await byToken();
    const before = clients();
    expect((await register(headers, ping('https://robot.example/ping'))).status).toBe(400);
    expect(clients()).toEqual(before);
    resolve = async () => ['93.184.215.14'];
    expect((await register(headers, ping('https://robot.example/ping'))).status).toBe(201);
  });

  it('whose name cannot be resolved now is told to come again, and its token is good after that', async () => {
    resolve = async () => {
      throw new ResolverBusyError();
    };
    const headers = await byToken();
    expect((await register(headers, ping('https://robot.example/ping'))).status).toBe(429);
    resolve = async () => ['93.184.215.14'];
    expect((await register(headers, ping('https://robot.example/ping'))).status).toBe(201);
  });

  it('is looked at again as the connection is made', async () => {
    let calls = 0;
    const server = createServer(() => {
      calls += 1;
    });
    let connections = 0;
    server.on('connection', () => {
      connections += 1;
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    const { port } = server.address() as AddressInfo;
    try {
      const rebound = createPublicFetch(async () => ['127.0.0.1']);
      for (const host of ['robot.example', '127.0.0.1', '[::ffff:127.0.0.1]', 'localhost']) {
        await expect(rebound(`https://${host}:${port}/ping`, { method: 'POST' })).rejects.toThrow(TypeError);
      }
      await expect(rebound(`http://robot.example:${port}/`, { method: 'POST' })).rejects.toThrow(TypeError);
      expect([connections, calls]).toEqual([0, 0]);
    } finally {
      server.close();
    }
  });
});

describe('a gateway of one’s own that registers itself', () => {
  const folder = mkdtempSync(join(tmpdir(), 'registration-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const tokenFile = join(folder, 'token');
  const registrationFile = join(folder, 'registered-client.json');

  it('is let in by the token in its file, and then asks', async () => {
    const { privateKey } = await generateKeyPair('ES256', { extractable: true });
    const asking = new CibaApprovalClient({
      issuer: world.issuer,
      resource: RESOURCE,
      client: { registrationFile, tokenFile },
      privateKey: { ...(await exportJWK(privateKey)), kid: 'own', alg: 'ES256', use: 'sig' },
      details: 'rar',
      delivery: 'poll',
    });
    const asked = details();
    const question = {
      asked: { sub: 'alice' },
      scope: 'orders:write',
      bindingMessage: orderBindingText(toOrderDraft(asked)),
      details: asked,
      expiresIn: 60,
      notificationToken: 'x'.repeat(22),
    } as const;
    await expect(asking.request(question)).rejects.toMatchObject({
      code: 'invalid_config',
      message: expect.stringContaining('no such file'),
    });
    writeFileSync(tokenFile, `${'x'.repeat(43)}\n`, { mode: 0o600 });
    await expect(asking.request(question)).rejects.toMatchObject({
      code: 'provider_error',
      hint: expect.stringContaining('approval.registration_token_file'),
    });
    writeFileSync(tokenFile, `${(await world.phone.registrationToken('alice')).token}\n`, { mode: 0o600 });
    const { authReqId } = await asking.request(question);
    expect(JSON.parse(readFileSync(registrationFile, 'utf8')).client_id).toBeTypeOf('string');
    const [shown] = (await world.phone.requests('alice')).filter(
      ({ details: { identifier } }) => identifier === asked.identifier,
    );
    await world.phone.decide(shown?.id ?? '', 'approve');
    const expected = { sub: 'alice', details: { ...asked, code: shown?.code }, expiresAt: Date.now() + 60_000 };
    const polled = await asking.poll(authReqId, expected, AbortSignal.timeout(10_000));
    expect(polled.status).toBe('approved');
    expect(JSON.stringify(world.problems)).toBe('[]');
  });
});
