import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { getRequestListener } from '@hono/node-server';
import { Hono } from 'hono';
import { type CryptoKey, decodeJwt, exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import { beginDeviceLogin } from '../../../src/auth/session/device-login.ts';
import { generatePrivateJwk } from '../../../src/auth/session/dpop-key.ts';
import { profileSchema, type ResolvedProfile } from '../../../src/config/profile.ts';
import { READ_SCOPES } from '../../../src/oauth/scopes.ts';
import { openFileStore } from '../../../src/secrets/file/file-store.ts';
import { hastyClock } from './identity-provider-world.ts';

interface TokenError {
  status: number;
  body: string;
  headers?: Record<string, string>;
}

/** What a provider may get wrong; every test changes one thing. */
export interface Lies {
  metadata?: (metadata: Record<string, unknown>) => Record<string, unknown>;
  device?: (answer: Record<string, unknown>) => Record<string, unknown>;
  backchannel?: (answer: Record<string, unknown>) => Record<string, unknown>;
  token?: (answer: Record<string, unknown>) => unknown;
  claims?: (claims: JWTPayload) => JWTPayload;
  /** Signs the ID token in another way. */
  sign?: (claims: JWTPayload) => Promise<string> | string;
  /** Answers the token request with this status and body instead. */
  tokenError?: TokenError;
  /** Answers the token requests with these in turn; the last for ever. */
  tokenErrors?: TokenError[];
  /** Runs before a token request is answered. */
  beforeToken?: () => Promise<void>;
  /** Answers a revocation request (RFC 7009) instead of with 200. */
  revoke?: (form: Record<string, unknown>) => Response | undefined;
  /** Answers requests for these paths with something else altogether. */
  instead?: Record<string, (request: Request) => Response>;
  /** Called with a token request's proof: the nonce it must have (RFC 9449 §8), else undefined. */
  nonceFor?: (proof: string) => string | undefined;
  /** How many requests for the keys fail before one succeeds. */
  brokenKeys?: number;
}

/** Ports that providers of this process had: the product remembers an issuer's metadata for an hour. */
const usedPorts = new Set<number>();

async function listenOnNewPort(server: Server): Promise<number> {
  for (;;) {
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    if (!usedPorts.has(port)) {
      usedPorts.add(port);
      return port;
    }
    await new Promise((resolve) => server.close(resolve));
  }
}

/** An identity provider of the test's own that answers everything with "approved", truthfully or not. */
export async function startLyingProvider() {
  const lies: Lies = {};
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
  const server = createServer();
  const issuer = `http://127.0.0.1:${await listenOnNewPort(server)}`;
  let tokenRequests = 0;
  const backchannelForms: Record<string, unknown>[] = [];
  const registrations: Record<string, unknown>[] = [];
  const revocations: Record<string, unknown>[] = [];
  let elsewhere = 0;

  const app = new Hono();
  app.use('*', (c, next) => {
    const other = lies.instead?.[c.req.path];
    return other === undefined ? next() : Promise.resolve(other(c.req.raw));
  });
  app.get('/.well-known/openid-configuration', (c) => {
    const metadata = {
      issuer,
      token_endpoint: `${issuer}/token`,
      jwks_uri: `${issuer}/jwks`,
      device_authorization_endpoint: `${issuer}/device/code`,
      backchannel_authentication_endpoint: `${issuer}/backchannel`,
      registration_endpoint: `${issuer}/register`,
      revocation_endpoint: `${issuer}/revoke`,
      id_token_signing_alg_values_supported: ['ES256', 'none', 'HS256'],
      dpop_signing_alg_values_supported: ['ES256'],
      subject_types_supported: ['public'],
    };
    return c.json(lies.metadata?.(metadata) ?? metadata);
  });
  app.get('/jwks', (c) => {
    if (lies.brokenKeys) {
      lies.brokenKeys -= 1;
      return c.text('out of order', 503);
    }
    return c.json({ keys: [jwk] });
  });
  app.post('/register', async (c) => {
    const metadata = (await c.req.json()) as Record<string, unknown>;
    registrations.push(metadata);
    return c.json({ ...metadata, client_id: 'approval', client_id_issued_at: 1 }, 201);
  });
  app.post('/device/code', (c) => {
    const answer = {
      device_code: 'device-code',
      user_code: 'ABCD-EFGH',
      verification_uri: `${issuer}/device`,
      verification_uri_complete: `${issuer}/device?user_code=ABCD-EFGH`,
      expires_in: 600,
      interval: 1,
    };
    return c.json(lies.device?.(answer) ?? answer);
  });
  app.post('/backchannel', async (c) => {
    backchannelForms.push(await c.req.parseBody());
    const answer = { auth_req_id: 'auth-req-id', expires_in: 300 };
    return c.json(lies.backchannel?.(answer) ?? answer);
  });
  app.post('/token', async (c) => {
    tokenRequests += 1;
    await lies.beforeToken?.();
    const proof = c.req.header('dpop') ?? '';
    const nonce = lies.nonceFor?.(proof);
    if (nonce !== undefined && decodeJwt(proof).nonce !== nonce) {
      return c.json({ error: 'use_dpop_nonce' }, 400, { 'dpop-nonce': nonce });
    }
    const queue = lies.tokenErrors ?? [];
    const tokenError = lies.tokenError ?? (queue.length > 1 ? queue.shift() : queue[0]);
    if (tokenError) {
      const { status, body, headers } = tokenError;
      return new Response(body, { status, headers: { 'content-type': 'application/json', ...headers } });
    }
    const form = await c.req.parseBody();
    const ciba = String(form.grant_type).endsWith('ciba');
    const now = Math.floor(Date.now() / 1000);
    const honest: JWTPayload = {
      iss: issuer,
      sub: 'alice',
      aud: ciba ? 'approval' : 'login',
      iat: now,
      exp: now + 300,
      name: 'Alice',
    };
    const claims = lies.claims?.(honest) ?? honest;
    const answer = {
      access_token: 'planted-access-token-4242',
      token_type: proof === '' ? 'Bearer' : 'DPoP',
      expires_in: 300,
      ...(ciba ? {} : { refresh_token: 'planted-refresh-token-4242' }),
      id_token: await (lies.sign ?? signWith(privateKey))(claims),
    };
    return c.json((lies.token?.(answer) ?? answer) as Record<string, unknown>);
  });
  app.post('/revoke', async (c) => {
    const form = await c.req.parseBody();
    revocations.push(form);
    return lies.revoke?.(form) ?? c.body(null, 200);
  });
  app.all('/elsewhere', (c) => {
    elsewhere += 1;
    return c.json({});
  });
  server.on('request', getRequestListener(app.fetch));

  return {
    issuer,
    /** The revocation requests' fields, in order. */
    revocations,
    /** Requests at the address its redirects lead to. */
    elsewhere: () => elsewhere,
    lies,
    publicJwk: jwk,
    tokenRequests: () => tokenRequests,
    backchannelRequests: () => backchannelForms.length,
    /** The backchannel authentication requests' fields, in order. */
    backchannelForms,
    /** What clients registered themselves as, in order. */
    registrations,
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
export type LyingProvider = Awaited<ReturnType<typeof startLyingProvider>>;

/** A lying provider, and the machine of somebody who signs in there. */
export async function startLyingWorld() {
  const provider = await startLyingProvider();
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-lies-'));
  const store = openFileStore({ folder, profile: 'test' });
  const gateway = 'http://127.0.0.1:1';
  const profile: ResolvedProfile = {
    ...profileSchema.parse({}),
    name: 'test',
    issuer: provider.issuer,
    gateway,
    audience: gateway,
    login_client: { client_id: 'login' },
    credential_store: 'file',
    phone: undefined,
  };
  return {
    provider,
    folder,
    home: { config: folder, data: folder, log: folder, sandbox: folder },
    profile,
    store,
    lie: (lies: Lies) => Object.assign(provider.lies, lies),
    login: async (options: Parameters<typeof beginDeviceLogin>[2] = {}) => {
      const started = await beginDeviceLogin(profile, store, { clock: hastyClock, ...options });
      return await started.complete(AbortSignal.timeout(20_000));
    },
    /** Plants a session in the store. */
    signedIn: async ({
      issuer = provider.issuer,
      sub = 'alice',
      refresh_token = 'planted-refresh-token-1812',
      into = store,
    } = {}) => {
      const session = JSON.stringify({ issuer, client_id: 'login', sub, scopes: READ_SCOPES });
      await into.set({ session, refresh_token, dpop_key: JSON.stringify(await generatePrivateJwk()) });
    },
    close: async () => {
      await provider.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
export type LyingWorld = Awaited<ReturnType<typeof startLyingWorld>>;

/** Signs with this key, as ES256 under the published key's id. */
export const signWith = (key: CryptoKey) => (claims: JWTPayload) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid: 'k1' }).sign(key);
