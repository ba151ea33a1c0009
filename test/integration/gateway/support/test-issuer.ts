import { randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import { type CryptoKey, createLocalJWKSet, exportJWK, generateKeyPair, type JWK, jwtVerify, SignJWT } from 'jose';
import { type HttpServer, listenOnLoopback } from '../../../../src/net/http-server.ts';
import { CODE_ENTRY_SUPPORTED } from '../../../../src/oauth/oauth-names.ts';
import type { TestClock } from './test-clock.ts';

export interface MintOptions {
  readonly claims?: Record<string, unknown>;
  readonly header?: Record<string, unknown>;
  readonly key?: CryptoKey | Uint8Array;
}

/** A question for a phone (CIBA Core §7.1), and what was decided. */
export interface AskedQuestion {
  readonly authReqId: string;
  readonly sub: string;
  readonly notificationToken: string;
  readonly scope: string;
  readonly details: Readonly<Record<string, unknown>>;
  decision?: 'approve' | 'deny';
  /** What its token says beside, or instead of, what is true. */
  claims?: Record<string, unknown>;
}

export type TestIssuer = Awaited<ReturnType<typeof startTestIssuer>>;

/** A small identity provider that signs whatever a test asks for, good or bad. */
export async function startTestIssuer(options: {
  clock: TestClock;
  audience: () => string;
  gatewayClient: { client_id: string; jwk: JWK };
}) {
  const server: HttpServer = await listenOnLoopback(0, () => 0);
  const keys = await generateKeyPair('ES256', { extractable: true });
  const publicJwk: JWK = { ...(await exportJWK(keys.publicKey)), kid: 'main', alg: 'ES256', use: 'sig' };
  const app = new Hono();
  app.use(async (c, next) => {
    await next();
    c.header('date', new Date(options.clock.now()).toUTCString());
  });

  const issuer = {
    url: server.url,
    keys,
    publicJwk,
    /** Requests at the token endpoint, as they were understood. */
    exchanges: [] as { readonly sub: string; readonly audience: string }[],
    jwksRequests: { count: 0 },
    /** What phones were asked, oldest first. */
    questions: [] as AskedQuestion[],
    /** Users with a brokerage account, and their token at the broker. */
    connected: new Map<string, string>(),
    /** Their tokens elsewhere, by `user audience`. */
    elsewhere: new Map<string, string>(),
    /** Answers the next token request with this instead. */
    failExchange: undefined as { status: number; body: object } | undefined,
    /** Keys published beside the main one. */
    published: [publicJwk],
    down: false,
    /** Whether its people type the code of an approval that demands it. */
    takesTypedCodes: true,
    /** A sound access token, but for what the options change; `undefined` removes a claim. */
    mint: ({ claims = {}, header = {}, key = keys.privateKey }: MintOptions = {}): Promise<string> => {
      const now = Math.floor(options.clock.now() / 1000);
      const payload: Record<string, unknown> = {
        iss: server.url,
        aud: options.audience(),
        sub: 'alice',
        client_id: 'test-client',
        iat: now,
        exp: now + 300,
        jti: randomUUID(),
        ...claims,
      };
      for (const [name, value] of Object.entries(payload)) if (value === undefined) delete payload[name];
      return new SignJWT(payload).setProtectedHeader({ alg: 'ES256', typ: 'at+jwt', kid: 'main', ...header }).sign(key);
    },
    close: () => server.close(),
  };

  app.use('*', async (c, next) => (issuer.down ? c.text('down', 503) : next()));
  app.get('/.well-known/openid-configuration', (c) =>
    c.json({
      issuer: server.url,
      jwks_uri: `${server.url}/jwks`,
      token_endpoint: `${server.url}/token`,
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
      backchannel_authentication_endpoint: `${server.url}/bc-authorize`,
      backchannel_token_delivery_modes_supported: ['poll', 'ping'],
      [CODE_ENTRY_SUPPORTED]: issuer.takesTypedCodes,
    }),
  );
  app.get('/jwks', (c) => {
    issuer.jwksRequests.count++;
    return c.json({ keys: issuer.published });
  });
  /** RFC 7523 §2.2 */
  const authenticated = async (body: string): Promise<URLSearchParams> => {
    const form = new URLSearchParams(body);
    const { client_id, jwk } = options.gatewayClient;
    await jwtVerify(form.get('client_assertion') ?? '', createLocalJWKSet({ keys: [jwk] }), {
      issuer: client_id,
      subject: client_id,
      audience: server.url,
      requiredClaims: ['jti', 'exp'],
      // It was made by the machine's time, which this clock may have been moved away from since.
      clockTolerance: '1 day',
    });
    return form;
  };
  app.post('/bc-authorize', async (c) => {
    const form = await authenticated(await c.req.text());
    const authReqId = randomUUID();
    const [details] = JSON.parse(form.get('authorization_details') ?? '[{}]') as [Record<string, unknown>];
    issuer.questions.push({
      authReqId,
      sub: form.get('login_hint') ?? '',
      notificationToken: form.get('client_notification_token') ?? '',
      scope: form.get('scope') ?? '',
      details,
    });
    return c.json({ auth_req_id: authReqId, expires_in: Number(form.get('requested_expiry')), interval: 5 });
  });
  app.post('/token', async (c) => {
    if (issuer.failExchange !== undefined) {
      const { status, body } = issuer.failExchange;
      return new Response(JSON.stringify(body), { status, headers: { 'content-type': 'application/json' } });
    }
    const form = await authenticated(await c.req.text());
    if (form.get('grant_type') === 'urn:openid:params:grant-type:ciba') {
      const asked = issuer.questions.find(({ authReqId }) => authReqId === form.get('auth_req_id'));
      if (asked === undefined) return c.json({ error: 'invalid_grant' }, 400);
      if (asked.decision === undefined) return c.json({ error: 'authorization_pending' }, 400);
      if (asked.decision === 'deny') return c.json({ error: 'access_denied' }, 400);
      const { sub, scope, details, claims: said } = asked;
      const claims = {
        sub,
        scope,
        client_id: options.gatewayClient.client_id,
        authorization_details: [details],
        ...said,
      };
      return c.json({ access_token: await issuer.mint({ claims }), token_type: 'Bearer', expires_in: 300 });
    }
    if (form.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:token-exchange') {
      return c.json({ error: 'unsupported_grant_type' }, 400);
    }
    const { payload } = await jwtVerify(
      form.get('subject_token') ?? '',
      createLocalJWKSet({ keys: issuer.published }),
      {
        audience: options.audience(),
        currentDate: new Date(options.clock.now()),
      },
    );
    const sub = String(payload.sub);
    const audience = form.get('audience') ?? '';
    issuer.exchanges.push({ sub, audience });
    const token = audience === 'paper-broker' ? issuer.connected.get(sub) : issuer.elsewhere.get(`${sub} ${audience}`);
    if (token === undefined) {
      return c.json({ error: 'invalid_target', error_description: 'no such connection' }, 400);
    }
    return c.json({
      access_token: token,
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: 900,
    });
  });
  server.serveApp(app);
  return issuer;
}
