import { calculateJwkThumbprint, createRemoteJWKSet, decodeJwt, jwtVerify } from 'jose';
import * as oidc from 'openid-client';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import {
  ID_JAG_TYPE,
  ID_TOKEN_TYPE,
  REFRESH_TOKEN_TYPE,
  TOKEN_EXCHANGE_GRANT,
} from '../../../src/oauth/oauth-names.ts';
import { PASSWORD_SIGN_IN } from '../../../src/sandbox/company/company.ts';
import type { CompanyRule } from '../../../src/sandbox/company/rules.ts';
import { ALICE, CLIENT, companyWorld, HOME, letsIn, newMachine, register } from './company-fixture.ts';

const asking = {
  requested_token_type: ID_JAG_TYPE,
  audience: HOME,
  resource: `${HOME}/v1`,
  scope: 'portfolio:read orders:propose orders:write',
};

type Parameters = Record<string, string>;

function exchange(
  configuration: oidc.Configuration,
  idToken: string | undefined,
  other: Parameters = {},
  options: oidc.DPoPOptions = {},
) {
  const subject = { subject_token: idToken ?? '', subject_token_type: ID_TOKEN_TYPE };
  return oidc.genericGrantRequest(configuration, TOKEN_EXCHANGE_GRANT, { ...asking, ...subject, ...other }, options);
}

async function acme(rules?: CompanyRule[]) {
  const world = await companyWorld(rules);
  return { ...world, configuration: await world.client() };
}
const refused = (call: Promise<unknown>, error: string) => expect(call).rejects.toMatchObject({ error });
const ofRefresh = (token: string) => ({ subject_token: token, subject_token_type: REFRESH_TOKEN_TYPE });

describe('what a company announces', () => {
  it('is the exchange for an ID-JAG, and clients that prove themselves by a key alone', async () => {
    const { configuration } = await acme();
    expect(configuration.serverMetadata()).toMatchObject({
      identity_chaining_requested_token_types_supported: [ID_JAG_TYPE],
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
      grant_types_supported: expect.arrayContaining([TOKEN_EXCHANGE_GRANT]),
      dpop_signing_alg_values_supported: ['ES256'],
    });
  });
});

describe('an exchange', () => {
  it('of an ID token gives an assertion about the person, for one audience, with what the rule lets through', async () => {
    const { configuration, signIn, company } = await acme();
    const { id_token } = await signIn(configuration);
    const key = await oidc.randomDPoPKeyPair('ES256', { extractable: true });
    const DPoP = oidc.getDPoPHandle(configuration, key);
    const answer = await exchange(configuration, id_token, {}, { DPoP });
    expect(answer).toMatchObject({
      issued_token_type: ID_JAG_TYPE,
      token_type: 'n_a',
      expires_in: 300,
      scope: 'portfolio:read orders:propose',
    });
    expect(answer.refresh_token).toBeUndefined();

    const jwks = createRemoteJWKSet(new URL(String(configuration.serverMetadata().jwks_uri)));
    const { payload, protectedHeader } = await jwtVerify(answer.access_token, jwks, {
      typ: 'oauth-id-jag+jwt',
      issuer: company.issuer,
      audience: HOME,
    });
    expect(protectedHeader.alg).toBe('ES256');
    const publicKey = await crypto.subtle.exportKey('jwk', key.publicKey);
    const jkt = await calculateJwkThumbprint(publicKey as never);
    expect(payload).toEqual({
      iss: company.issuer,
      sub: ALICE,
      aud: HOME,
      client_id: CLIENT,
      jti: expect.any(String),
      iat: expect.any(Number),
      exp: (payload.iat ?? 0) + 300,
      resource: `${HOME}/v1`,
      scope: 'portfolio:read orders:propose',
      auth_time: expect.any(Number),
      acr: 'phr',
      amr: ['pwd', 'hwk', 'mfa'],
      email: 'alice@acme.example',
      groups: ['traders', 'staff'],
      cnf: { jkt },
    });
  });

  it('of a refresh token gives one, too, and each has an id of its own', async () => {
    const { configuration, signIn } = await acme();
    const { refresh_token = '' } = await signIn(configuration);
    const once = async () =>
      decodeJwt((await exchange(configuration, undefined, ofRefresh(refresh_token))).access_token);
    const [first, second] = [await once(), await once()];
    expect(first).toMatchObject({ sub: ALICE, acr: 'phr' });
    expect(first.cnf).toBeUndefined();
    expect(first.jti).not.toBe(second.jti);
  });

  it('says who acts, and what the client is called there, where its rule does', async () => {
    const actor = { sub: 'agent', iss: 'https://agents.example' };
    const { configuration, signIn } = await acme([{ ...letsIn, actor, client_id_there: 'trade-agent-there' }]);
    const { access_token } = await exchange(configuration, (await signIn(configuration)).id_token);
    expect(decodeJwt(access_token)).toMatchObject({ act: actor, client_id: 'trade-agent-there' });
  });

  const type = (name: string) => `urn:ietf:params:oauth:token-type:${name}`;
  const refusals: [string, Parameters, string][] = [
    ['for an audience no rule is about', { audience: 'https://elsewhere.example' }, 'invalid_target'],
    ['for another resource there', { resource: 'https://home.example/v2' }, 'invalid_target'],
    ['with scopes none of which is let through', { scope: 'orders:write' }, 'invalid_scope'],
    ['for anything but an ID-JAG', { requested_token_type: type('jwt') }, 'invalid_request'],
    ['with an actor', { actor_token: 'x', actor_token_type: ID_TOKEN_TYPE }, 'invalid_request'],
    ['of a kind of token that is not taken', { subject_token_type: type('saml2') }, 'invalid_request'],
    ['of what is no token of the company', { subject_token: 'nonsense' }, 'invalid_grant'],
    ['of a refresh token it never gave', ofRefresh('nonsense'), 'invalid_grant'],
  ];
  it.each(refusals)('is refused %s', async (_, other, error) => {
    const { configuration, signIn } = await acme();
    const { id_token } = await signIn(configuration);
    await refused(exchange(configuration, id_token, other), error);
  });

  it('is refused to whoever is in none of the groups', async () => {
    const { configuration, signIn } = await acme();
    const { id_token } = await signIn(configuration, '00u-bob');
    await refused(exchange(configuration, id_token), 'access_denied');
  });

  it('is refused after a weak sign-in where the rule wants a strong one, by the error of step-up', async () => {
    const { configuration, signIn } = await acme([{ ...letsIn, acr: ['phr'] }]);
    const weak = await signIn(configuration, ALICE, PASSWORD_SIGN_IN);
    await refused(exchange(configuration, weak.id_token), 'insufficient_user_authentication');
    await exchange(configuration, (await signIn(configuration)).id_token);
  });

  it('is refused to a client that was not given the token, and one whose key nobody knows', async () => {
    const { client, configuration, signIn, company } = await acme([letsIn, { ...letsIn, client_id: 'another' }]);
    const { id_token, refresh_token = '' } = await signIn(configuration);
    const other = await client(undefined, 'another');
    await refused(exchange(other, id_token), 'invalid_grant');
    await refused(exchange(other, undefined, ofRefresh(refresh_token)), 'invalid_grant');

    const { privateKey } = await newMachine();
    const auth = oidc.PrivateKeyJwt(privateKey);
    const options = { execute: [oidc.allowInsecureRequests] };
    const stranger = await oidc.discovery(new URL(company.issuer), CLIENT, undefined, auth, options);
    await refused(exchange(stranger, id_token), 'invalid_client');
  });

  it('is refused of an ID token that is over, and of an assertion shown as one', async () => {
    const { configuration, signIn } = await acme();
    const { id_token } = await signIn(configuration);
    const { access_token } = await exchange(configuration, id_token);
    await refused(exchange(configuration, access_token), 'invalid_grant');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 601_000 });
    onTestFinished(() => void vi.useRealTimers());
    await refused(exchange(configuration, id_token), 'invalid_grant');
  });
});

describe('a sign-in', () => {
  it('is renewed by a refresh token that is worth nothing the second time', async () => {
    const { configuration, signIn } = await acme();
    const first = (await signIn(configuration)).refresh_token ?? '';
    const { id_token, refresh_token = '' } = await oidc.refreshTokenGrant(configuration, first);
    await exchange(configuration, id_token);
    await refused(exchange(configuration, undefined, ofRefresh(first)), 'invalid_grant');
    await refused(oidc.refreshTokenGrant(configuration, first), 'invalid_grant');
    await refused(oidc.refreshTokenGrant(configuration, refresh_token), 'invalid_grant');
    await refused(exchange(configuration, id_token), 'invalid_grant');
  });

  it('says who it is, and ends by revocation', async () => {
    const { configuration, signIn } = await acme();
    const tokens = await signIn(configuration);
    const { access_token, refresh_token = '' } = tokens;
    expect(tokens.claims()).toMatchObject({ sub: ALICE, name: 'Alice Adams', email: 'alice@acme.example' });
    expect((await oidc.fetchUserInfo(configuration, access_token, ALICE)).name).toBe('Alice Adams');
    await oidc.tokenRevocation(configuration, refresh_token);
    await refused(oidc.refreshTokenGrant(configuration, refresh_token), 'invalid_grant');
    await refused(exchange(configuration, tokens.id_token), 'invalid_grant');
  });

  it.each([
    ['has left', 'deactivate'],
    ['was signed out everywhere', 'endSessions'],
  ] as const)('of somebody who %s is worth nothing, to refresh or to exchange', async (_, ends) => {
    const { configuration, signIn, company } = await acme();
    const { id_token, refresh_token = '' } = await signIn(configuration);
    const bobs = await signIn(configuration, '00u-bob');
    await company[ends](ALICE);
    await refused(oidc.refreshTokenGrant(configuration, refresh_token), 'invalid_grant');
    await refused(exchange(configuration, id_token), 'invalid_grant');
    await refused(exchange(configuration, undefined, ofRefresh(refresh_token)), 'invalid_grant');
    await oidc.refreshTokenGrant(configuration, bobs.refresh_token ?? '');
    if (ends === 'deactivate') {
      await refused(signIn(configuration), 'access_denied');
    } else await exchange(configuration, (await signIn(configuration)).id_token);
  });
});

describe("the company's page", () => {
  const form = (fields: Parameters) => ({
    method: 'POST',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams(fields),
  });

  it('lets a device in by a password, which is the weak sign-in, and refuses a wrong one', async () => {
    const { configuration } = await acme();
    const started = await oidc.initiateDeviceAuthorization(configuration, { scope: 'openid' });
    const { verification_uri, user_code } = started;
    expect(await (await fetch(started.verification_uri_complete ?? '')).text()).toContain(user_code);
    const fields = { user_code, username: 'alice', password: 'wrong' };
    expect((await fetch(verification_uri, form(fields))).status).toBe(401);
    expect((await fetch(verification_uri, form({ ...fields, password: 'alice-password' }))).status).toBe(200);
    const tokens = await oidc.pollDeviceAuthorizationGrant(configuration, { ...started, interval: 0.01 });
    expect(tokens.claims()).toMatchObject({ sub: ALICE, acr: 'pwd' });
  });

  it('decides for a terminal that has the pairing secret, and for nobody else', async () => {
    const { configuration, company } = await acme();
    const { user_code } = await oidc.initiateDeviceAuthorization(configuration, { scope: 'openid' });
    const decide = (secret: string, user = 'alice') =>
      fetch(`${company.issuer}/device/decide`, {
        method: 'POST',
        headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
        body: JSON.stringify({ user_code, user }),
      });
    expect((await decide('guessed')).status).toBe(401);
    expect((await decide('pairing', 'carol')).status).toBe(404);
    expect((await decide('pairing')).status).toBe(200);
    expect((await decide('pairing')).status).toBe(404);
  });

  it('takes the public half of a key, and no private one', async () => {
    const { company } = await companyWorld();
    const { publicJwk } = await newMachine();
    const post = (body: object) =>
      fetch(`${company.issuer}/clients/${CLIENT}/keys`, { method: 'POST', body: JSON.stringify(body) });
    expect((await post({ ...publicJwk, d: 'secret' })).status).toBe(400);
    expect((await post(publicJwk)).status).toBe(204);
    expect((await register(company.issuer, 'nobody', publicJwk)).status).toBe(404);
    const published = await (await fetch(`${company.issuer}/clients/${CLIENT}/jwks`)).json();
    expect(published).toEqual({ keys: [expect.objectContaining({ x: publicJwk.x })] });
  });

  it('is no other name’s (DNS rebinding)', async () => {
    const { company } = await companyWorld();
    const request = new Request(company.issuer.replace('127.0.0.1', 'localhost'));
    expect((await fetch(`${request.url}clients/${CLIENT}/jwks`)).status).toBe(421);
  });
});
