import { createHash, randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { getRequestListener } from '@hono/node-server';
import { type Context, Hono } from 'hono';
import { createLocalJWKSet, exportJWK, generateKeyPair, type JWK, type JWTPayload, jwtVerify, SignJWT } from 'jose';
import {
  assertionFields,
  Breach,
  details,
  type Form,
  is,
  loginHint,
  matches,
  requireAssertion,
  requireFields,
  some,
} from './auth0-contract.ts';

export const LOGIN_CLIENT = 'L0g1nCl13nt';
export const APPROVAL_CLIENT = 'Appr0va1Cl13nt';
/** The gateway's own: a client of the API's, which may exchange the API's access tokens. */
export const GATEWAY_CLIENT = 'Gatew4yCl13nt';
export const SUB = 'auth0|5f7c8ec7c33c6c004bbafe82';
const PUSHES_A_MINUTE = 5;
const VAULT_GRANT = 'urn:auth0:params:oauth:grant-type:token-exchange:federated-connection-access-token';

/** What the person is shown by Guardian: the message, and the one details object. */
export interface Push {
  readonly id: string;
  readonly text: string;
  readonly details: Record<string, unknown>;
  answer: 'none' | 'approved' | 'denied' | 'expired';
  redeemed: boolean;
}

/**
 * A tenant that answers as Auth0 documents, and holds every request against that documentation. A request that
 * departs from it is answered with an error and recorded in `breaches`.
 */
export async function startAuth0(options: { audience: string; now: () => number }) {
  const { audience, now } = options;
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const { privateKey, publicKey } = await generateKeyPair('RS256');
  const signing = { ...(await exportJWK(publicKey)), kid: 'tenant', alg: 'RS256', use: 'sig' };
  const breaches: string[] = [];
  const requests: { path: string; form: Form }[] = [];
  const pushes: Push[] = [];
  const pushTimes: number[] = [];
  const myAccountAudience = `${issuer}me/`;
  const detailsTypes = ['trade_order'];
  const connected = new Map<string, { id: string; connection: string; scopes: string[] }>();
  const tenant = {
    approvalKey: undefined as JWK | undefined,
    gatewayKey: undefined as JWK | undefined,
    /** What the person did with the device code. */
    device: 'none' as 'none' | 'approved' | 'denied' | 'expired',
    announcesCiba: true,
    /** What the person answers at a third party. */
    connects: true,
  };
  let deviceExpiredTold = false;
  let lastDevicePoll = Number.NEGATIVE_INFINITY;
  let refresh = 0;

  const sign = (claims: JWTPayload, typ: string) =>
    new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'tenant', typ }).sign(privateKey);
  const seconds = () => Math.floor(now() / 1000);
  const ofNow = () => ({ iss: issuer, sub: SUB, iat: seconds(), exp: seconds() + 600 });
  const idToken = (aud: string) => sign({ ...ofNow(), aud, name: 'Alice', email: 'alice@example.com' }, 'JWT');
  // The API's token profile is "RFC 9068".
  const accessToken = (client_id: string, scope: string, authorization_details?: unknown) => {
    const aud = [audience, `${issuer}userinfo`];
    return sign({ ...ofNow(), aud, jti: randomUUID(), client_id, scope, authorization_details }, 'at+jwt');
  };
  const fail = (c: Context, status: 400 | 401 | 403 | 429, error: string, text: string, headers = {}) =>
    c.json({ error, error_description: text }, status, headers);

  const app = new Hono();
  app.onError((error, c) => {
    breaches.push(error instanceof Breach ? error.message : `${c.req.path}: ${String(error)}`);
    return c.json({ error: 'invalid_request', error_description: 'breach of contract' }, 400);
  });
  const form = async (c: Context): Promise<Form> => {
    const body = (await c.req.parseBody()) as Record<string, string>;
    requests.push({ path: c.req.path, form: body });
    return body;
  };

  app.get('/.well-known/openid-configuration', (c) =>
    c.json({
      issuer,
      token_endpoint: `${issuer}oauth/token`,
      device_authorization_endpoint: `${issuer}oauth/device/code`,
      userinfo_endpoint: `${issuer}userinfo`,
      mfa_challenge_endpoint: `${issuer}mfa/challenge`,
      jwks_uri: `${issuer}.well-known/jwks.json`,
      registration_endpoint: `${issuer}oidc/register`,
      revocation_endpoint: `${issuer}oauth/revoke`,
      ...(tenant.announcesCiba ? { backchannel_authentication_endpoint: `${issuer}bc-authorize` } : {}),
      backchannel_token_delivery_modes_supported: ['poll'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post', 'private_key_jwt', 'none'],
      token_endpoint_auth_signing_alg_values_supported: ['RS256', 'RS384', 'PS256'],
      id_token_signing_alg_values_supported: ['HS256', 'RS256', 'PS256'],
      subject_types_supported: ['public'],
    }),
  );
  app.get('/.well-known/jwks.json', (c) => c.json({ keys: [signing] }));

  app.post('/oauth/device/code', async (c) => {
    requireFields('/oauth/device/code', await form(c), {
      client_id: is(LOGIN_CLIENT),
      scope: matches(/^openid profile email offline_access( [a-z]+:[a-z]+)+$/),
      audience: is(audience),
      // Not documented; unknown parameters are ignored there.
      device_name: { ...some, optional: true },
    });
    return c.json({
      device_code: 'device-code',
      user_code: 'ABCD-EFGH',
      verification_uri: `${issuer}activate`,
      verification_uri_complete: `${issuer}activate?user_code=ABCD-EFGH`,
      expires_in: 900,
      interval: 5,
    });
  });

  const deviceGrant = async (c: Context, request: Form) => {
    requireFields('device_code grant', request, {
      grant_type: some,
      device_code: is('device-code'),
      client_id: is(LOGIN_CLIENT),
    });
    const tooSoon = now() - lastDevicePoll < 5000;
    lastDevicePoll = now();
    if (tooSoon) return fail(c, 429, 'slow_down', 'You are polling faster than the specified interval of 5 seconds.');
    if (tenant.device === 'denied') return fail(c, 403, 'access_denied', 'User cancelled the confirmation prompt.');
    if (tenant.device === 'expired') {
      if (deviceExpiredTold) return fail(c, 403, 'invalid_grant', 'Invalid or expired device code.');
      deviceExpiredTold = true;
      return fail(c, 403, 'expired_token', 'The device_code is expired.');
    }
    if (tenant.device === 'none')
      return fail(c, 403, 'authorization_pending', 'User has yet to authorize device code.');
    const scope =
      'openid profile email market:read portfolio:read orders:read orders:cancel orders:propose messages:propose offline_access';
    return c.json({
      access_token: await accessToken(LOGIN_CLIENT, scope),
      refresh_token: `refresh-${++refresh}`,
      id_token: await idToken(LOGIN_CLIENT),
      scope,
      expires_in: 600,
      token_type: 'Bearer',
    });
  };

  const refreshGrant = async (c: Context, request: Form) => {
    requireFields('refresh_token grant', request, {
      grant_type: some,
      client_id: is(LOGIN_CLIENT),
      refresh_token: some,
      scope: { ...some, optional: true },
      // A multi-resource refresh token reaches the My Account API too.
      audience: { check: (value) => [audience, myAccountAudience].includes(value), optional: true },
    });
    if (request.refresh_token !== `refresh-${refresh}`) {
      return fail(c, 403, 'invalid_grant', 'Unknown or invalid refresh token.');
    }
    const scope = request.scope ?? '';
    return c.json({
      access_token:
        request.audience === myAccountAudience ? 'my-account-token' : await accessToken(LOGIN_CLIENT, scope),
      refresh_token: `refresh-${++refresh}`,
      id_token: await idToken(LOGIN_CLIENT),
      scope,
      expires_in: 600,
      token_type: 'Bearer',
    });
  };

  const requireApprovalClient = (request: Form) =>
    requireAssertion(request, { clientId: APPROVAL_CLIENT, key: tenant.approvalKey ?? {}, issuer });

  app.post('/bc-authorize', async (c) => {
    const request = await form(c);
    requireFields('/bc-authorize', request, {
      ...assertionFields,
      client_id: is(APPROVAL_CLIENT),
      scope: matches(/(^| )openid( |$)/),
      login_hint: loginHint(issuer, SUB),
      binding_message: matches(/^[A-Za-z0-9+\-_.,:#]{1,64}$/),
      // More than 300 would go out by e-mail instead of a push.
      requested_expiry: matches(/^([1-9]\d?|[12]\d\d|300)$/),
      audience: is(audience),
      authorization_details: details(detailsTypes),
    });
    await requireApprovalClient(request);
    const inLastMinute = pushTimes.filter((time) => now() - time < 60_000);
    if (inLastMinute.length >= PUSHES_A_MINUTE) {
      const reset = Math.ceil(((inLastMinute[0] ?? 0) + 60_000) / 1000);
      return fail(c, 429, 'too_many_requests', 'Global limit has been reached', {
        'x-ratelimit-limit': String(PUSHES_A_MINUTE),
        'x-ratelimit-remaining': '0',
        'x-ratelimit-reset': String(reset),
      });
    }
    pushTimes.push(now());
    const [object = {}] = JSON.parse(request.authorization_details ?? '[]') as Record<string, unknown>[];
    const push: Push = {
      id: randomUUID(),
      text: request.binding_message ?? '',
      details: object,
      answer: 'none',
      redeemed: false,
    };
    pushes.push(push);
    return c.json({ auth_req_id: push.id, expires_in: Number(request.requested_expiry), interval: 5 });
  });

  const cibaGrant = async (c: Context, request: Form) => {
    requireFields('ciba grant', request, {
      ...assertionFields,
      grant_type: some,
      client_id: is(APPROVAL_CLIENT),
      auth_req_id: some,
    });
    await requireApprovalClient(request);
    const push = pushes.find(({ id }) => id === request.auth_req_id);
    if (push === undefined || push.redeemed) return fail(c, 400, 'invalid_grant', 'Invalid or expired auth_req_id.');
    if (push.answer === 'none') {
      return fail(c, 400, 'authorization_pending', 'The end-user authorization is pending');
    }
    if (push.answer !== 'approved') {
      // One text for both.
      return fail(c, 400, 'access_denied', 'The end-user denied the authorization request or it has been expired');
    }
    push.redeemed = true;
    return c.json({
      access_token: await accessToken(APPROVAL_CLIENT, 'openid orders:write', [push.details]),
      id_token: await idToken(APPROVAL_CLIENT),
      scope: 'openid orders:write',
      expires_in: 300,
      token_type: 'Bearer',
      authorization_details: [push.details],
    });
  };

  const vaultGrant = async (c: Context, request: Form) => {
    requireFields('token vault grant', request, {
      ...assertionFields,
      grant_type: some,
      client_id: is(GATEWAY_CLIENT),
      subject_token: some,
      subject_token_type: is('urn:ietf:params:oauth:token-type:access_token'),
      requested_token_type: is('http://auth0.com/oauth/token-type/federated-connection-access-token'),
      connection: some,
    });
    await requireAssertion(request, { clientId: GATEWAY_CLIENT, key: tenant.gatewayKey ?? {}, issuer });
    const keys = createLocalJWKSet({ keys: [signing] });
    const currentDate = new Date(now());
    const verified = jwtVerify(request.subject_token ?? '', keys, { audience, currentDate });
    if ((await verified.catch(() => undefined)) === undefined) {
      return fail(c, 401, 'invalid_grant', 'Invalid subject token.');
    }
    if (![...connected.values()].some(({ connection }) => connection === request.connection)) {
      return fail(c, 401, 'federated_connection_refresh_token_not_found', 'Connected account not found.');
    }
    return c.json({
      access_token: 'token-of-the-third-party',
      scope: 'chat:write',
      expires_in: 3600,
      issued_token_type: 'http://auth0.com/oauth/token-type/federated-connection-access-token',
      token_type: 'Bearer',
    });
  };

  app.post('/oauth/token', async (c) => {
    const request = await form(c);
    switch (request.grant_type) {
      case 'urn:ietf:params:oauth:grant-type:device_code':
        return await deviceGrant(c, request);
      case 'refresh_token':
        return await refreshGrant(c, request);
      case 'urn:openid:params:grant-type:ciba':
        return await cibaGrant(c, request);
      case VAULT_GRANT:
        return await vaultGrant(c, request);
      default:
        throw new Breach(`/oauth/token: grant_type ${request.grant_type}`);
    }
  });

  app.post('/oauth/revoke', async (c) => {
    const request = await form(c);
    requireFields('/oauth/revoke', request, {
      client_id: is(LOGIN_CLIENT),
      token: matches(/^refresh-\d+$/),
      token_type_hint: { ...is('refresh_token'), optional: true },
    });
    refresh = 0;
    return c.body(null, 200);
  });

  app.get('/userinfo', (c) => {
    if (!/^Bearer ./.test(c.req.header('authorization') ?? '')) throw new Breach('/userinfo: no token');
    return c.json({ sub: SUB, name: 'Alice', email: 'alice@example.com' });
  });

  const myAccount = async (c: Context, rules: Readonly<Record<string, (value: unknown) => boolean>>) => {
    if (c.req.header('authorization') !== 'Bearer my-account-token') return undefined;
    const body = (await c.req.json()) as Record<string, unknown>;
    const wrong = Object.entries(rules).filter(([name, check]) => !check(body[name]));
    const unknown = Object.keys(body).filter((name) => !Object.hasOwn(rules, name));
    if (wrong.length + unknown.length > 0) {
      throw new Breach(`${c.req.path}: ${[...wrong.map(([name]) => name), ...unknown].join(', ')}`);
    }
    return body;
  };
  const text = (value: unknown) => typeof value === 'string' && value !== '';
  let session: { connection: string; scopes: string[] } | undefined;
  let started: Record<string, unknown> = {};
  // The person signs in at the third party, and comes back with what they answered.
  app.get('/connected-accounts/connect', (c) => {
    if (c.req.query('ticket') !== 'ticket-1') return c.text('Unknown ticket', 400);
    const back = new URL(String(started.redirect_uri));
    back.searchParams.set('state', String(started.state));
    if (tenant.connects) back.searchParams.set('connect_code', 'connect-code');
    else back.searchParams.set('error', 'access_denied');
    return c.redirect(back.href);
  });
  app.post('/me/v1/connected-accounts/connect', async (c) => {
    const body = await myAccount(c, {
      connection: text,
      redirect_uri: (value) => /^https?:/.test(String(value)),
      state: text,
      scopes: Array.isArray,
      code_challenge: (value) => value === undefined || /^[\w-]{43}$/.test(String(value)),
      code_challenge_method: (value) => value === undefined || value === 'S256',
    });
    if (body === undefined) return c.json({ title: 'Unauthorized' }, 401);
    session = { connection: String(body.connection), scopes: body.scopes as string[] };
    started = body;
    return c.json(
      {
        auth_session: 'auth-session',
        connect_uri: `${issuer}connected-accounts/connect`,
        connect_params: { ticket: 'ticket-1' },
        expires_in: 300,
      },
      201,
    );
  });
  app.post('/me/v1/connected-accounts/complete', async (c) => {
    const body = await myAccount(c, {
      auth_session: (value) => value === 'auth-session',
      connect_code: (value) => value === 'connect-code',
      redirect_uri: (value) => value === started.redirect_uri,
      code_verifier: (value) =>
        value === undefined
          ? started.code_challenge === undefined
          : createHash('sha256').update(String(value)).digest('base64url') === started.code_challenge,
    });
    if (body === undefined) return c.json({ title: 'Unauthorized' }, 401);
    if (session === undefined) return c.json({ title: 'Invalid or expired auth_session' }, 400);
    const account = { id: `cac_${connected.size + 1}`, ...session };
    session = undefined;
    connected.set(account.id, account);
    return c.json({ ...account, access_type: 'offline', created_at: '2026-11-25T00:00:00Z' }, 201);
  });
  app.get('/me/v1/connected-accounts/accounts', (c) => c.json({ accounts: [...connected.values()] }));
  app.delete('/me/v1/connected-accounts/accounts/:id', (c) =>
    connected.delete(c.req.param('id')) ? c.body(null, 204) : c.json({ title: 'Not found' }, 404),
  );
  server.on('request', getRequestListener(app.fetch));

  return {
    issuer,
    tenant,
    connected,
    detailsTypes,
    breaches,
    requests,
    pushes,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
export type Auth0StandIn = Awaited<ReturnType<typeof startAuth0>>;
