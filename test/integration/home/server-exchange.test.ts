import { decodeJwt, importJWK, SignJWT } from 'jose';
import * as client from 'openid-client';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { RevokedAccess } from '../../../src/home/identity-provider/grants.ts';
import { loadProviderKeys } from '../../../src/store/home/provider-keys.ts';
import { createSqliteTransactions } from '../../../src/store/sqlite/sql-database.ts';
import {
  ALL_SCOPES,
  EXCHANGE,
  RESOURCE,
  refusal,
  registerApprovalClient,
  signIn,
  startIdentityProvider,
} from '../sandbox/identity-provider-fixture.ts';
import { type HttpBrowser, pairByHttp } from './http-browser.ts';
import { newServer, REFRESH_TOKEN, serverClient } from './server-client.ts';

const AT = 'https://agent.example';
const ONLINE = 'openid market:read orders:read orders:propose';
const OFFLINE = `${ONLINE} offline_access`;

const revoked: RevokedAccess[] = [];
const server = await newServer('agent-server', AT);
const other = await newServer('other-server', 'https://other.example');
const world = await startIdentityProvider({
  servers: [server.listed, other.listed],
  refreshTokenReuse: 'until_confirmed',
  onRevoked: async (who) => void revoked.push(who),
});
const mine = await serverClient(world, server);
afterAll(() => world.close());
beforeEach(() => {
  revoked.length = 0;
});
afterEach(() => {
  vi.useRealTimers();
});

const atServer = (scope = ONLINE, user = 'alice') => signIn(world, { scope, resource: AT, user });
const renew = ({ config, tokens, dpop }: Awaited<ReturnType<typeof signIn>>, parameters: Record<string, string>) =>
  client.refreshTokenGrant(config, tokens.refresh_token ?? '', parameters, dpop);
const isRevoked = (token: string) => world.provider().isRevoked(String(decodeJwt(token).jti));
/** What an exchange is refused with, its description too. */
async function refused(exchange: Promise<unknown>) {
  const error = await exchange.catch((thrown: unknown) => thrown);
  if (!(error instanceof client.ResponseBodyError)) throw new Error('it was not refused');
  return `${error.error}: ${error.error_description}`;
}

describe('a sign-in at a server', () => {
  it('gives tokens for that server alone, bound to the laptop, and stays without offline_access', async () => {
    const { tokens } = await atServer();
    expect(decodeJwt(tokens.access_token)).toMatchObject({
      aud: AT,
      client_id: 'trade-agent',
      scope: 'market:read orders:read orders:propose',
      auth_time: expect.any(Number),
      cnf: { jkt: expect.any(String) },
    });
    expect(tokens.refresh_token).toBeTypeOf('string');
  });

  it('is renewed for that server, with the moment of the sign-in, and for nothing else', async () => {
    const laptop = await atServer();
    const renewed = await renew(laptop, { resource: AT });
    const { auth_time } = decodeJwt(laptop.tokens.access_token);
    expect(decodeJwt(renewed.access_token)).toMatchObject({ aud: AT, auth_time });
    const elsewhere = renew({ ...laptop, tokens: renewed }, { resource: RESOURCE });
    expect(await refusal(elsewhere)).toBe('invalid_target');
  });

  it.each([
    ['a server that nobody listed', { resource: 'https://evil.example' }, 'invalid_target'],
    ['the gateway at the same time', { resource: [AT, RESOURCE] }, 'invalid_target'],
    ['accounts elsewhere', { scope: `${ONLINE} read:me:connected_accounts` }, 'invalid_scope'],
    ['what only an approval gives', { scope: `${ONLINE} orders:write` }, 'invalid_scope'],
  ])(
    'is refused with %s',
    async (_, { scope = ONLINE, resource = AT }: { scope?: string; resource?: string | string[] }, error) => {
      const parameters = new URLSearchParams({ scope });
      for (const one of [resource].flat()) parameters.append('resource', one);
      const started = client.initiateDeviceAuthorization(await world.loginClient(), parameters);
      expect(await refusal(started)).toBe(error);
    },
  );

  it('is nothing that anybody else’s client gets', async () => {
    const approving = await registerApprovalClient(world);
    const elsewhere = client.initiateDeviceAuthorization(approving.config, { scope: ONLINE, resource: AT });
    expect(await refusal(elsewhere)).toMatch(/invalid_(request|target)|unauthorized_client/);
  });
});

describe('the page that asks', () => {
  let alice: HttpBrowser;
  beforeAll(async () => {
    alice = (await pairByHttp((await world.phone.pairing('alice')).url)).browser;
  });
  const pageOf = async (scope: string) => {
    const { user_code } = await client.initiateDeviceAuthorization(await world.loginClient(), {
      scope,
      resource: AT,
    });
    const page = await alice.visit(`/device/confirm?user_code=${user_code}`);
    return await page.text();
  };

  it('says which server it is for, and that it stays', async () => {
    const page = await pageOf(ONLINE);
    expect(page).toContain('This is for the server agent.example.');
    expect(page).toContain('Stay signed in until you sign it out');
    expect(page).not.toContain('while you are away');
  });

  it('says that the server may act when the person is away, only where that is asked', async () => {
    expect(await pageOf(OFFLINE)).toContain('work for you while you are away');
  });
});

describe('an exchange', () => {
  it('gives a token for the gateway, bound to the server’s key, that says who uses it', async () => {
    const { tokens } = await atServer();
    const given = await mine.exchange(tokens.access_token, { resource: RESOURCE });
    expect(given).toMatchObject({
      token_type: 'dpop',
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      scope: 'market:read orders:read orders:propose',
    });
    expect(given.refresh_token).toBeUndefined();
    expect(decodeJwt(given.access_token)).toMatchObject({
      iss: world.issuer,
      aud: RESOURCE,
      sub: 'alice',
      client_id: 'agent-server',
      act: { sub: 'agent-server' },
      client_name: 'server at agent.example',
      scope: 'market:read orders:read orders:propose',
      cnf: { jkt: await mine.DPoP.calculateThumbprint() },
    });
    expect(await isRevoked(given.access_token)).toBe(false);
  });

  it('gives fewer scopes where fewer are asked for, and never more than were shown', async () => {
    const { tokens } = await atServer();
    const fewer = await mine.exchange(tokens.access_token, { scope: 'orders:read' });
    expect(decodeJwt(fewer.access_token).scope).toBe('orders:read');
    for (const scope of ['orders:read orders:cancel', 'orders:write', 'openid']) {
      expect(await refused(mine.exchange(tokens.access_token, { scope }))).toMatch(/^invalid_scope/);
    }
  });

  it('does not widen what a narrower token was shown for', async () => {
    const narrow = await renew(await atServer(), { scope: 'orders:read', resource: AT });
    expect(await refused(mine.exchange(narrow.access_token, { scope: 'orders:propose' }))).toMatch(/^invalid_scope/);
    expect(decodeJwt((await mine.exchange(narrow.access_token)).access_token).scope).toBe('orders:read');
  });

  it('refuses a token for another server, for the gateway, and one that was itself exchanged', async () => {
    const elsewhere = await signIn(world, { scope: ONLINE, resource: other.address });
    const gateway = await signIn(world, { scope: ALL_SCOPES });
    const { access_token: exchanged } = await mine.exchange((await atServer()).tokens.access_token);
    for (const token of [elsewhere.tokens.access_token, gateway.tokens.access_token, exchanged]) {
      expect(await refused(mine.exchange(token))).toContain('unexpected "aud" claim value');
    }
  });

  it('refuses an expired one', async () => {
    const { tokens } = await atServer();
    vi.useFakeTimers({ now: Date.now() + 601_000, toFake: ['Date'] });
    expect(await refused(mine.exchange(tokens.access_token))).toContain('"exp" claim timestamp check failed');
  });

  it('refuses one of a sign-in that was ended, and ends what was exchanged before', async () => {
    const { config, tokens } = await atServer();
    const { access_token } = await mine.exchange(tokens.access_token);
    await client.tokenRevocation(config, tokens.refresh_token ?? '');
    expect(await refused(mine.exchange(tokens.access_token))).toBe('invalid_request: subject_token was revoked');
    expect(await isRevoked(access_token)).toBe(true);
  });

  it('refuses a forged one, and another kind of token', async () => {
    const { tokens } = await atServer();
    const forged = await new SignJWT({ ...decodeJwt(tokens.access_token), sub: 'bob' })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt' })
      .sign(server.privateKey);
    expect(await refused(mine.exchange(forged))).toMatch(/^invalid_request/);
    expect(await refused(mine.exchange(tokens.id_token ?? ''))).toMatch(/^invalid_request/);
    const parameters = { subject_token_type: 'urn:ietf:params:oauth:token-type:id_token' };
    expect(await refused(mine.exchange(tokens.access_token, parameters))).toMatch(/^invalid_request/);
    const actor = { actor_token: tokens.access_token, actor_token_type: parameters.subject_token_type };
    expect(await refused(mine.exchange(tokens.access_token, actor))).toContain('actor_token');
  });

  it('refuses a request without a proof, and one whose proof was used before', async () => {
    const { tokens } = await atServer();
    expect(await refused(mine.exchange(tokens.access_token, {}, {}))).toBe(
      'invalid_dpop_proof: a DPoP proof is required',
    );
    const proofs: string[] = [];
    const spy = await serverClient(world, server);
    const fetched = spy.config[client.customFetch] ?? fetch;
    spy.config[client.customFetch] = (url, options) => {
      const headers = new Headers(options.headers);
      proofs.push(headers.get('dpop') ?? '');
      headers.set('dpop', proofs[0] ?? '');
      return fetched(url, { ...options, headers: Object.fromEntries(headers) } as never);
    };
    await spy.exchange(tokens.access_token);
    expect(await refused(spy.exchange(tokens.access_token))).toContain('Replay');
    expect(proofs[0]).not.toBe(proofs[1]);
  });

  it.each([
    ['has an actor', { act: { sub: 'agent-server' } }, 'was itself exchanged'],
    ['is of another client than people sign in by', { client_id: 'some-agent' }, 'is not from the client'],
    ['is for two', { aud: [AT, RESOURCE] }, 'is for more than one audience'],
    ['is bound to no key', { cnf: undefined }, 'missing required "cnf" claim'],
    ['was issued for somebody else', { sub: 'bob' }, 'was revoked'],
    ['was issued by nobody', { jti: 'made-up' }, 'was revoked'],
    ['is another issuer’s', { iss: 'https://issuer.example' }, 'unexpected "iss" claim value'],
  ])('refuses one, signed by the provider itself, that %s', async (_, changes, reason) => {
    const { tokens } = await atServer();
    const { signing } = await loadProviderKeys(createSqliteTransactions(world.database()), Date.now);
    const [key] = (await signing.current()).keys;
    const signed = await new SignJWT({ ...decodeJwt(tokens.access_token), ...changes })
      .setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: key?.kid ?? '' })
      .sign(await importJWK(key ?? {}, 'ES256'));
    expect(await refused(mine.exchange(signed))).toContain(reason);
  });

  it('refuses other audiences, and other kinds of client', async () => {
    const { tokens } = await atServer();
    const elsewhere: Record<string, string>[] = [
      { resource: AT },
      { audience: 'paper-broker' },
      { resource: `${RESOURCE}/mcp` },
    ];
    for (const parameters of elsewhere) {
      expect(await refused(mine.exchange(tokens.access_token, parameters))).toMatch(/^invalid_target/);
    }
    const subject = {
      subject_token: tokens.access_token,
      subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    };
    const login = await world.loginClient();
    const DPoP = client.getDPoPHandle(login, await client.randomDPoPKeyPair('ES256'));
    const stranger = client.genericGrantRequest(login, EXCHANGE, subject, { DPoP });
    expect(await refusal(stranger)).toMatch(/invalid_request|unauthorized_client/);
    const broker = { ...subject, audience: 'paper-broker' };
    const gateway = client.genericGrantRequest(await world.gatewayClient(), EXCHANGE, broker);
    expect(await refused(gateway)).toContain('unexpected "aud"');
  });

  it('refuses a server whose assertion another key has signed', async () => {
    const { tokens } = await atServer();
    const thief = await serverClient(world, { ...server, privateKey: other.privateKey });
    expect(await refused(thief.exchange(tokens.access_token))).toMatch(/^invalid_client/);
  });

  it('gives nothing that outlives the sign-in', async () => {
    const { tokens } = await atServer();
    // The sign-in's grant has a minute left, of its ninety days.
    const grants = world.database().prepare(
      `UPDATE oidc_entities SET payload = json_set(payload, '$.exp', ?)
       WHERE model = 'Grant' AND json_extract(payload, '$.resources') LIKE '%agent.example%'`,
    );
    grants.run(Math.floor(Date.now() / 1000) + 60);
    const given = await mine.exchange(tokens.access_token);
    expect(given.expires_in).toBeLessThanOrEqual(60);
    expect(given.expires_in).toBeGreaterThan(50);
    grants.run(Math.floor(Date.now() / 1000) - 1);
    expect(await refused(mine.exchange(tokens.access_token))).toContain('was revoked');
  });
});

describe('a grant for when the person is away', () => {
  const offline = async (user = 'alice') => {
    const { tokens, config } = await atServer(OFFLINE, user);
    const given = await mine.exchange(tokens.access_token, { requested_token_type: REFRESH_TOKEN });
    return { tokens, config, refreshToken: given.refresh_token ?? '', given };
  };

  it('is refused where they did not allow it', async () => {
    const { tokens } = await atServer(ONLINE);
    const asked = mine.exchange(tokens.access_token, { requested_token_type: REFRESH_TOKEN });
    expect(await refused(asked)).toBe('invalid_scope: the person did not allow offline access');
  });

  it('gives tokens for the gateway, bound to the server’s key, that say who uses them', async () => {
    const { refreshToken } = await offline();
    const renewed = await mine.renew(refreshToken, { scope: 'orders:read', resource: RESOURCE });
    expect(decodeJwt(renewed.access_token)).toMatchObject({
      aud: RESOURCE,
      sub: 'alice',
      scope: 'orders:read',
      client_id: 'agent-server',
      act: { sub: 'agent-server' },
      cnf: { jkt: await mine.DPoP.calculateThumbprint() },
    });
    const stolen = await serverClient(world, server);
    expect(await refused(stolen.renew(renewed.refresh_token ?? ''))).toMatch(/^invalid_grant/);
    expect((await mine.renew(renewed.refresh_token ?? '')).access_token).toBeTypeOf('string');
  });

  it('outlives the sign-in that it came by, and what was exchanged from that one does not', async () => {
    const { config, tokens, refreshToken } = await offline();
    const { access_token } = await mine.exchange(tokens.access_token);
    await client.tokenRevocation(config, tokens.refresh_token ?? '');
    expect(await isRevoked(access_token)).toBe(true);
    const renewed = await mine.renew(refreshToken);
    expect(await isRevoked(renewed.access_token)).toBe(false);
    // The server may still act: what it proposed stays.
    expect(revoked).toEqual([]);
  });

  it('rotates, and ends when a used one that was answered comes again', async () => {
    const { refreshToken } = await offline();
    const second = await mine.renew(refreshToken);
    const third = await mine.renew(second.refresh_token ?? '');
    expect(await refused(mine.renew(refreshToken))).toMatch(/^invalid_grant/);
    expect(await refused(mine.renew(third.refresh_token ?? ''))).toMatch(/^invalid_grant/);
    expect(await isRevoked(third.access_token)).toBe(true);
  });

  it('is one for a person: a second takes the place of the first', async () => {
    const first = await offline('bob');
    const second = await offline('bob');
    expect(await refused(mine.renew(first.refreshToken))).toMatch(/^invalid_grant/);
    expect((await mine.renew(second.refreshToken)).access_token).toBeTypeOf('string');
  });

  it('is given up by the server itself, which may have another by the same yes', async () => {
    const { refreshToken, given, tokens } = await offline();
    await client.tokenRevocation(mine.config, refreshToken);
    expect(await refused(mine.renew(refreshToken))).toMatch(/^invalid_grant/);
    expect(await isRevoked(given.access_token)).toBe(true);
    const again = await mine.exchange(tokens.access_token, { requested_token_type: REFRESH_TOKEN });
    expect(again.refresh_token).toBeTypeOf('string');
  });

  it('stands among the person’s programs, and is ended there', async () => {
    const { browser } = await pairByHttp((await world.phone.pairing('bob')).url);
    const { refreshToken, given, tokens } = await offline('bob');
    const page = await (await browser.visit('/phone/programs')).text();
    expect(page).toContain('trade-agent at agent.example on <strong>test-laptop</strong>');
    const [, id = ''] = /server at agent\.example, while you’re away[\s\S]*?name="id" value="([^"]+)"/.exec(page) ?? [];
    await browser.submit('/phone/programs', '/phone/programs/sign-out', { id });
    expect(await refused(mine.renew(refreshToken))).toMatch(/^invalid_grant/);
    expect(await isRevoked(given.access_token)).toBe(true);
    expect(await (await browser.visit('/phone/programs')).text()).not.toContain('while you’re away');
    // By the sign-in that stands the server gets no other, and goes on while the person is there.
    const again = mine.exchange(tokens.access_token, { requested_token_type: REFRESH_TOKEN });
    expect(await refused(again)).toMatch(/^invalid_scope/);
    expect((await mine.exchange(tokens.access_token)).access_token).toBeTypeOf('string');
  });
});

describe('the end of all that lets a server act', () => {
  it('is told for the server, so that what it proposed is withdrawn', async () => {
    const fresh = await startIdentityProvider({
      servers: [server.listed],
      onRevoked: async (who) => void revoked.push(who),
    });
    try {
      const laptop = await signIn(fresh, { scope: ONLINE, resource: AT });
      const second = await signIn(fresh, { scope: ONLINE, resource: AT });
      await client.tokenRevocation(laptop.config, laptop.tokens.refresh_token ?? '');
      expect(revoked).toEqual([]);
      await client.tokenRevocation(second.config, second.tokens.refresh_token ?? '');
      expect(revoked).toEqual([{ sub: 'alice', clientId: 'agent-server' }]);
    } finally {
      await fresh.close();
    }
  });
});

it('nothing went wrong inside', () => {
  expect(world.problems).toEqual([]);
});
