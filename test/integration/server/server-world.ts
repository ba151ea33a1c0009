import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { Hono } from 'hono';
import { decodeJwt } from 'jose';
import * as client from 'openid-client';
import { profileSchema, type ResolvedProfile } from '../../../src/config/profile.ts';
import { createAuthenticator } from '../../../src/gateway/auth/authenticator.ts';
import type { Caller } from '../../../src/gateway/auth/caller.ts';
import { createIdentityProvider } from '../../../src/gateway/auth/identity-provider.ts';
import { createTokenVerifier } from '../../../src/gateway/auth/token-verifier.ts';
import { createPhoneClient } from '../../../src/home/phone/phone-client.ts';
import { systemClock } from '../../../src/machine/clock.ts';
import { createRequestListener, listenOnLoopback } from '../../../src/net/http-server.ts';
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts';
import { addGatewayProxy } from '../../../src/server/http/gateway-proxy.ts';
import {
  createTokenExchangeSessions,
  type TokenExchangeSessionsOptions,
} from '../../../src/server/sessions/exchanging-sessions.ts';
import { prepareProviderDatabase } from '../../../src/store/home/schema.ts';
import { createProofStore } from '../../../src/store/sql/proof-store.ts';
import { createSqliteTransactions } from '../../../src/store/sqlite/sql-database.ts';
import { newServer } from '../home/server-client.ts';
import { memoryCredentials } from './memory-credentials.ts';

export const CLIENT = 'agent-server';
const SCOPES =
  'openid market:read portfolio:read orders:read orders:cancel orders:propose messages:propose orders:mandate watchlist:write';

/** A whole sandbox, and a server beside it that people sign in at. */
export async function createServerWorld(
  credentials: TokenExchangeSessionsOptions['credentials'] = memoryCredentials(),
) {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-server-'));
  const listener = await listenOnLoopback(0, Date.now);
  const server = await newServer(CLIENT, listener.url);
  const sandbox: Sandbox = await startSandbox({ home: folder, port: 0, servers: [server.listed] });
  const { issuer, gateway } = sandbox.ready;
  /** What the server sent, to the provider or the gateway. */
  const sent: Request[] = [];
  const spying: typeof fetch = async (input, init) => {
    sent.push(new Request(input, init?.body instanceof ReadableStream ? { ...init, body: null } : init));
    return await fetch(input, init);
  };
  const profile: ResolvedProfile = {
    ...profileSchema.parse({}),
    name: 'server',
    ...{ issuer, gateway, audience: gateway },
    login_client: { client_id: CLIENT },
    credential_store: 'file',
    phone: undefined,
  };
  const sessionsOver = (
    kept: TokenExchangeSessionsOptions['credentials'],
    changed: Partial<ResolvedProfile> = {},
    send = spying,
  ) =>
    createTokenExchangeSessions({
      profile: { ...profile, ...changed },
      access: { fetch: send, privateKey: { ...server.privateJwk, kid: CLIENT, alg: 'ES256' } },
      clock: systemClock,
      credentials: kept,
    });
  const sessions = sessionsOver(credentials);
  const database = new Database(':memory:');
  const verify = createTokenVerifier({
    provider: createIdentityProvider({ issuer, fetch, timeoutMs: 5000, clock: systemClock }),
    resource: server.address,
    proofs: createProofStore(createSqliteTransactions(prepareProviderDatabase(database)), 'dpop_proofs'),
    clock: systemClock,
    requireBoundTokens: true,
  });
  const app = new Hono();
  addGatewayProxy(
    app,
    createAuthenticator({
      verify,
      inProcessCaller: async () => undefined,
      resource: server.address,
      clock: systemClock,
      log: () => undefined,
    }),
    { sessions, clock: systemClock },
  );
  listener.serve(createRequestListener(app));
  const phone = createPhoneClient({ phone: sandbox.ready.phone, pairingSecret: sandbox.pairingSecret });

  return {
    server,
    sandbox,
    sessions,
    sessionsOver,
    credentials,
    phone,
    sent,
    folder,
    /** Somebody's laptop, signed in at the server, by a client that was not made here. */
    async laptop(user = 'alice', scope = SCOPES) {
      const config = await client.discovery(
        new URL(issuer),
        'trade-agent',
        { token_endpoint_auth_method: 'none' },
        client.None(),
        { execute: [client.allowInsecureRequests] },
      );
      const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'));
      const begun = await client.initiateDeviceAuthorization(config, {
        scope,
        device_name: 'laptop',
        resource: server.address,
      });
      await phone.completeDevice(user, begun.user_code);
      const tokens = await client.pollDeviceAuthorizationGrant(config, { ...begun, interval: 0 }, undefined, {
        DPoP,
      });
      const call = async (
        method: string,
        path: string,
        { body, headers, signal }: { body?: string; headers?: Record<string, string>; signal?: AbortSignal } = {},
      ): Promise<Response> =>
        (await client
          .fetchProtectedResource(
            config,
            tokens.access_token,
            new URL(path, server.address),
            method,
            body,
            new Headers(headers),
            { DPoP, ...(signal === undefined ? {} : { signal }) },
          )
          .catch((error: unknown) => {
            if (error instanceof client.WWWAuthenticateChallengeError && error.response) return error.response;
            throw error;
          })) as Response;
      return {
        config,
        tokens,
        call,
        /** As a door gives them on whose verification is another test's. */
        caller: () => callerOf(tokens.access_token),
        async json(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
          const given =
            body === undefined
              ? {}
              : { body: JSON.stringify(body), headers: { 'content-type': 'application/json', ...headers } };
          const response = await call(method, path, { headers, ...given });
          const answer = (await response.json()) as { id?: string; state?: string; code?: string };
          return { ...answer, http: response.status };
        },
        end: () => client.tokenRevocation(config, tokens.refresh_token ?? ''),
      };
    },
    async close() {
      await listener.close();
      await sandbox.close();
      database.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
/** Who calls by a token, as it says itself. */
export function callerOf(token: string): Caller {
  const claims = decodeJwt<{ scope: string; client_id: string; cnf: { jkt: string }; auth_time: number }>(token);
  return {
    sub: claims.sub ?? '',
    clientId: claims.client_id,
    scopes: new Set(claims.scope.split(' ')),
    jkt: claims.cnf.jkt,
    authTime: claims.auth_time,
    jti: claims.jti ?? '',
    authorizationDetails: undefined,
    accessToken: token,
    expiresAt: (claims.exp ?? 0) * 1000,
  };
}

export type ServerWorld = Awaited<ReturnType<typeof createServerWorld>>;
export type Laptop = Awaited<ReturnType<ServerWorld['laptop']>>;
