import { decodeJwt } from 'jose';
import * as client from 'openid-client';
import { afterAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { CONNECTION_SCOPES, IDENTITY_SCOPES, SCOPES } from '../../../src/oauth/scopes.ts';
import { details, RESOURCE, refusal, startIdentityProvider } from '../sandbox/identity-provider-fixture.ts';
import { pairByHttp } from './http-browser.ts';
import { CALLBACK, letIn, MCP, MCP_SCOPES, publicClient, register } from './public-client.ts';

const world = await startIdentityProvider({ refreshTokenReuse: 'until_confirmed' });
const alice = (await pairByHttp((await world.phone.pairing('alice')).url)).browser;
const clientId = (await register(world.issuer)).body.client_id;
afterAll(() => world.close());
const newProgram = () => publicClient(world, clientId);

/** The answer's parameters, where a request is refused at once. */
async function refused(url: URL): Promise<Record<string, string>> {
  const answer = await fetch(url, { redirect: 'manual' });
  const location = answer.headers.get('location');
  if (location === null) return { page: await answer.text(), status: String(answer.status) };
  const { search, hash } = new URL(location);
  return Object.fromEntries(new URLSearchParams(hash === '' ? search : hash.slice(1)));
}

describe('a program that is let in', () => {
  it('gets tokens for /mcp, with its scopes and name, and is answered with iss', async () => {
    const program = await newProgram();
    const callback = await letIn(alice, program.url());
    expect(new URL(callback).origin + new URL(callback).pathname).toBe(CALLBACK);
    expect(new URL(callback).searchParams.get('iss')).toBe(world.issuer);
    const tokens = await program.redeem(callback);
    const claims = decodeJwt(tokens.access_token);
    expect(claims).toMatchObject({
      sub: 'alice',
      aud: MCP,
      client_id: program.clientId,
      client_name: 'Some Agent (127.0.0.1:9123)',
      scope: MCP_SCOPES,
    });
    expect(tokens.token_type).toBe('bearer');
    expect(tokens.refresh_token).toBeTypeOf('string');
    expect(tokens.id_token).toBeUndefined();
    expect(world.problems).toEqual([]);
  });

  it('has all of them where it names none, or only says that it wants to stay', async () => {
    const program = await newProgram();
    for (const scope of ['', 'offline_access', 'openid offline_access']) {
      const { access_token } = await program.redeem(await letIn(alice, program.url({ scope, resource: '' })), {
        resource: '',
      });
      expect([decodeJwt(access_token).scope, decodeJwt(access_token).aud]).toEqual([MCP_SCOPES, MCP]);
    }
  });

  it('has no more than it asked for', async () => {
    const program = await newProgram();
    const tokens = await program.redeem(await letIn(alice, program.url({ scope: 'market:read' })));
    expect(decodeJwt(tokens.access_token).scope).toBe('market:read');
  });

  it('may bind its tokens to a key', async () => {
    const program = await newProgram();
    const DPoP = client.getDPoPHandle(program.config, await client.randomDPoPKeyPair('ES256'));
    const tokens = await program.redeem(await letIn(alice, program.url()), {}, { DPoP });
    expect(tokens.token_type).toBe('dpop');
    expect(decodeJwt(tokens.access_token).cnf).toMatchObject({ jkt: expect.any(String) });
    await expect(program.refresh(tokens.refresh_token ?? '')).rejects.toThrow();
  });

  it('may be answered at another port of this machine than it registered (RFC 8252 §7.3)', async () => {
    const program = await newProgram();
    const callback = await letIn(alice, program.url({ redirect_uri: 'http://127.0.0.1:50001/callback' }));
    expect(new URL(callback).port).toBe('50001');
  });

  it('is asked about each time, whoever allowed it before', async () => {
    const program = await newProgram();
    await letIn(alice, program.url());
    for (const changes of [{}, { redirect_uri: 'http://127.0.0.1:50002/callback' }]) {
      const url = program.url(changes);
      const sent = await alice.visit(url.pathname + url.search);
      expect(sent.headers.get('location')).toMatch(/^\/authorize\/consent\//);
    }
    expect(await refused(program.url({ prompt: 'none' }))).toMatchObject({ error: 'consent_required' });
  });

  it('hears that the person refused', async () => {
    const program = await newProgram();
    const answer = new URL(await letIn(alice, program.url(), 'deny')).searchParams;
    expect(Object.fromEntries(answer)).toMatchObject({
      error: 'access_denied',
      state: program.state,
      iss: world.issuer,
    });
    expect(answer.has('code')).toBe(false);
  });
});

describe('a request is refused', () => {
  const cases: [string, Record<string, string>, string][] = [
    ['without PKCE', { code_challenge: '', code_challenge_method: '' }, 'invalid_request'],
    ['with plain PKCE', { code_challenge_method: 'plain' }, 'invalid_request'],
    ['with PKCE of no method', { code_challenge_method: '' }, 'invalid_request'],
    ['for the gateway itself', { resource: RESOURCE }, 'invalid_target'],
    ['for another server', { resource: 'https://elsewhere.example/mcp' }, 'invalid_target'],
    ['for people’s accounts elsewhere', { resource: '', scope: 'read:me:connected_accounts' }, 'invalid_scope'],
    ['that would only place orders', { scope: 'openid orders:write' }, 'invalid_scope'],
    ['by a scope that does not exist', { scope: 'market:read orders:writes' }, 'invalid_scope'],
    ['that would send messages', { scope: 'messages:write' }, 'invalid_scope'],
    ['for messages, which are our own client’s', { scope: 'messages:propose' }, 'invalid_scope'],
    ['for another kind of answer', { response_type: 'token' }, 'unsupported_response_type'],
    ['with approved details', { authorization_details: '[{"type":"trade_order"}]' }, 'invalid'],
  ];
  it.each(cases)('%s', async (_, changes, error) => {
    const answer = await refused((await newProgram()).url(changes));
    expect(answer.error).toMatch(new RegExp(`^${error}`));
    expect(answer.iss).toBe(world.issuer);
  });

  it.each([
    'http://127.0.0.1:9123/other',
    'http://localhost:9123/callback',
    'https://127.0.0.1:9123/callback',
    'http://127.0.0.1.elsewhere.example/callback',
    'http://127.0.0.1@elsewhere.example/callback',
    'https://elsewhere.example/callback',
  ])('where it would be answered at %s, which hears nothing of it', async (redirect_uri) => {
    const answer = await refused((await newProgram()).url({ redirect_uri }));
    expect(answer).toMatchObject({ status: '400', page: expect.stringContaining('redirect_uri') });
  });

  it('of a client that nobody knows, and in plain text', async () => {
    const url = (await newProgram()).url();
    url.searchParams.set('client_id', '<script>alert(1)</script>');
    const answer = await fetch(url, { redirect: 'manual' });
    expect(answer.status).toBe(400);
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8');
    expect(await answer.text()).toContain("can't be given access");
  });

  it('of our own clients, who come by other ways', async () => {
    for (const id of ['trade-agent', 'trade-agent-gateway']) {
      const url = (await newProgram()).url();
      url.searchParams.set('client_id', id);
      expect((await fetch(url, { redirect: 'manual' })).status).toBe(400);
    }
  });
});

describe('a code', () => {
  it('that is used twice ends what came of it', async () => {
    const program = await newProgram();
    const callback = await letIn(alice, program.url());
    const tokens = await program.redeem(callback);
    expect(await refusal(program.redeem(callback))).toBe('invalid_grant');
    expect(await refusal(program.refresh(tokens.refresh_token ?? ''))).toBe('invalid_grant');
  });

  it('is worth nothing without its verifier, for another redirect, client or resource', async () => {
    const program = await newProgram();
    const other = await publicClient(world);
    const fresh = () => letIn(alice, program.url());
    const redeem = async (as: typeof program, parameters: Record<string, string>) =>
      refusal(
        client.genericGrantRequest(as.config, 'authorization_code', {
          code: new URL(await fresh()).searchParams.get('code') ?? '',
          code_verifier: program.verifier,
          redirect_uri: CALLBACK,
          ...parameters,
        }),
      );
    expect(await redeem(program, { code_verifier: client.randomPKCECodeVerifier() })).toBe('invalid_grant');
    expect(await redeem(program, { redirect_uri: 'http://127.0.0.1:9124/callback' })).toBe('invalid_grant');
    expect(await redeem(other, {})).toBe('invalid_grant');
    expect(await redeem(program, { resource: RESOURCE })).toBe('invalid_target');
  });

  it('of another server is not taken for ours: the answer says whose it is (RFC 9207)', async () => {
    const program = await newProgram();
    const callback = new URL(await letIn(alice, program.url()));
    callback.searchParams.set('iss', 'https://attacker.example');
    const mixedUp = { code: 'OAUTH_INVALID_RESPONSE', cause: expect.anything() };
    await expect(program.redeem(callback.href)).rejects.toMatchObject(mixedUp);
    callback.searchParams.delete('iss');
    await expect(program.redeem(callback.href)).rejects.toMatchObject(mixedUp);
    callback.searchParams.set('iss', world.issuer);
    await program.redeem(callback.href);
  });
});

describe('a refresh token', () => {
  it('is used once; its second use ends the sign-in, also where no answer was confirmed', async () => {
    const program = await newProgram();
    const first = await program.redeem(await letIn(alice, program.url()));
    const second = await program.refresh(first.refresh_token ?? '');
    expect(decodeJwt(second.access_token)).toMatchObject({ aud: MCP, scope: MCP_SCOPES });
    expect(await refusal(program.refresh(first.refresh_token ?? ''))).toBe('invalid_grant');
    expect(await refusal(program.refresh(second.refresh_token ?? ''))).toBe('invalid_grant');
  });

  it.each([undefined, 'login', 'consent'])(
    'is renewed by the scopes that a client got that asked for all that are listed (prompt=%s)',
    async (prompt) => {
      const { scopes_supported: listed } = (await (
        await fetch(`${world.issuer}/.well-known/openid-configuration`)
      ).json()) as { scopes_supported: string[] };
      const program = await newProgram();
      const asked = program.url({ scope: listed.join(' '), ...(prompt === undefined ? {} : { prompt }) });
      const first = await program.redeem(await letIn(alice, asked));
      // The response tells the client which scopes it got (RFC 6749 §3.3).
      expect(first.scope).toBe(MCP_SCOPES);
      expect(decodeJwt(first.access_token)).toMatchObject({ aud: MCP, scope: MCP_SCOPES });
      const second = await program.refresh(first.refresh_token ?? '', { scope: first.scope ?? '' });
      expect(decodeJwt(second.access_token)).toMatchObject({ aud: MCP, scope: MCP_SCOPES });
      expect(await refusal(program.refresh(second.refresh_token ?? '', { scope: 'orders:write' }))).toBe(
        'invalid_scope',
      );
    },
  );

  it('gives nothing for another resource, and no more scopes', async () => {
    const program = await newProgram();
    const tokens = await program.redeem(await letIn(alice, program.url({ scope: 'openid market:read' })));
    // A rejected request does not use the token up.
    const refresh = (parameters: Record<string, string>) => program.refresh(tokens.refresh_token ?? '', parameters);
    expect(await refusal(refresh({ resource: RESOURCE }))).toBe('invalid_target');
    expect(await refusal(refresh({ scope: 'orders:propose' }))).toBe('invalid_scope');
    expect(decodeJwt((await refresh({ scope: 'openid' })).access_token).aud).toBe(MCP);
  });
});

describe('a token for /mcp', () => {
  it('opens nothing else here', async () => {
    const program = await newProgram();
    const { access_token } = await program.redeem(await letIn(alice, program.url({ scope: `openid ${MCP_SCOPES}` })));
    const as = { authorization: `Bearer ${access_token}` };
    for (const path of ['/userinfo', '/me/v1/connected-accounts/accounts']) {
      expect((await fetch(`${world.issuer}${path}`, { headers: as })).status, path).toBe(401);
    }
    const registration = await fetch(`${world.issuer}/register`, { method: 'POST', headers: as });
    expect(registration.status).toBe(401);
  });

  it('is not to be had by device flow or by asking the person', async () => {
    const { config } = await newProgram();
    await expect(client.initiateDeviceAuthorization(config, { scope: MCP_SCOPES })).rejects.toThrow();
    expect(
      await refusal(client.initiateBackchannelAuthentication(config, { scope: 'openid', login_hint: 'alice' })),
    ).toMatch(/invalid_request|unauthorized_client|invalid_client/);
  });
});

it('the metadata says how, and names every scope (RFC 8414)', async () => {
  for (const name of ['oauth-authorization-server', 'openid-configuration']) {
    const metadata = await (await fetch(`${world.issuer}/.well-known/${name}`)).json();
    expect(metadata).toMatchObject({
      authorization_endpoint: `${world.issuer}/authorize`,
      code_challenge_methods_supported: ['S256'],
      authorization_response_iss_parameter_supported: true,
      response_types_supported: ['code'],
      response_modes_supported: ['query'],
      client_id_metadata_document_supported: true,
      registration_endpoint: `${world.issuer}/register`,
      token_endpoint_auth_methods_supported: expect.arrayContaining(['none']),
      scopes_supported: [...IDENTITY_SCOPES, ...SCOPES, ...CONNECTION_SCOPES],
    });
  }
});

it('the metadata leads to a JSON Schema of each type of authorization details (RFC 9396 §10)', async () => {
  const metadata = (await (await fetch(`${world.issuer}/.well-known/oauth-authorization-server`)).json()) as {
    authorization_details_types_metadata_endpoint: string;
    authorization_details_types_supported: string[];
  };
  const endpoint = metadata.authorization_details_types_metadata_endpoint;
  expect(new URL(endpoint).origin).toBe(world.issuer);
  const types = (await (await fetch(endpoint)).json()) as Record<
    string,
    { schema: Parameters<typeof z.fromJSONSchema>[0] }
  >;
  expect(Object.keys(types).sort()).toEqual([...metadata.authorization_details_types_supported].sort());
  const asked = details();
  const published = z.fromJSONSchema(types.trade_order?.schema ?? false);
  expect(published.safeParse(asked)).toMatchObject({ success: true });
  expect(published.safeParse({ ...asked, side: 'hold' }).success).toBe(false);
  expect(published.safeParse({ ...asked, type: 'message_send' }).success).toBe(false);
  expect((await fetch(endpoint, { method: 'POST' })).status).toBe(405);
});
