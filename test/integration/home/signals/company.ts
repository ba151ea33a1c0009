import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWTHeaderParameters, SignJWT } from 'jose';
import * as client from 'openid-client';
import type { Company } from '../../../../src/home/identity-provider/companies/company.ts';

export const CLIENT = 'trade-agent-acme';
export const AUDIENCE = 'https://home.example/signals';
export const SESSION_REVOKED = 'https://schemas.openid.net/secevent/caep/event-type/session-revoked';

const seconds = () => Math.floor(Date.now() / 1000);

type Claims = Record<string, unknown>;

/** A company's identity provider, as far as a home sees one: an address with metadata and keys, and what it signs. */
export interface TestCompany {
  readonly issuer: string;
  /** As home.yaml lists it: `acme-alice` is alice, `acme-bob` is bob. */
  readonly listed: Company;
  /** A Security Event Token that is as it must be, but for what is said otherwise; `undefined` leaves a claim out. */
  event(
    claims?: Claims,
    header?: Partial<JWTHeaderParameters>,
    key?: CryptoKey | Uint8Array,
  ): Promise<string>;
  /** A logout token, likewise. */
  logout(claims?: Claims, header?: Partial<JWTHeaderParameters>): Promise<string>;
  /** Signs a person in at a home: an ID-JAG, redeemed by the company's client. */
  signIn(home: string, sub: string): Promise<CompanySession>;
  /** An ID-JAG that nobody has redeemed. */
  assertion(home: string, sub: string, claims?: Claims): Promise<string>;
  redeem(home: string, assertion: string): Promise<CompanySession>;
  close(): Promise<void>;
}

/** A person's agent that got in by its company. */
export interface CompanySession {
  readonly accessToken: string;
  call(method: string, path: string, body?: unknown): Promise<{ status: number; body: Claims }>;
}

export async function startCompany(): Promise<TestCompany> {
  const keys = await generateKeyPair('ES256');
  const theirs = await generateKeyPair('ES256');
  const published = { ...(await exportJWK(keys.publicKey)), kid: 'company-1', alg: 'ES256', use: 'sig' };
  const clientKey = { ...(await exportJWK(theirs.publicKey)), kid: 'client-1', alg: 'ES256', use: 'sig' };
  const server = createServer((request, response) => {
    const document = documents[request.url ?? ''];
    response
      .writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' })
      .end(JSON.stringify(document ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const metadata = {
    issuer,
    jwks_uri: `${issuer}/jwks`,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    response_types_supported: ['code'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
  };
  const documents: Record<string, unknown> = {
    '/.well-known/openid-configuration': metadata,
    '/.well-known/oauth-authorization-server': metadata,
    '/jwks': { keys: [published] },
  };

  const sign = (
    claims: Claims,
    header: Partial<JWTHeaderParameters>,
    key: CryptoKey | Uint8Array = keys.privateKey,
  ) => {
    const stated = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
    return new SignJWT(stated).setProtectedHeader({ alg: 'ES256', kid: 'company-1', ...header }).sign(key);
  };
  const assertion = (home: string, sub: string, claims: Claims = {}) =>
    sign(
      {
        iss: issuer,
        sub,
        aud: home,
        client_id: CLIENT,
        jti: randomUUID(),
        iat: seconds(),
        exp: seconds() + 300,
        resource: home,
        scope: 'portfolio:read orders:read orders:propose orders:cancel',
        ...claims,
      },
      { typ: 'oauth-id-jag+jwt' },
    );
  const redeem = async (home: string, idJag: string): Promise<CompanySession> => {
    const config = await client.discovery(
      new URL(home),
      CLIENT,
      {},
      client.PrivateKeyJwt({ key: theirs.privateKey, kid: 'client-1' }),
      { execute: [client.allowInsecureRequests] },
    );
    const DPoP = client.getDPoPHandle(config, await client.randomDPoPKeyPair('ES256'));
    const { access_token: accessToken } = await client.genericGrantRequest(
      config,
      'urn:ietf:params:oauth:grant-type:jwt-bearer',
      { assertion: idJag },
      { DPoP },
    );
    return {
      accessToken,
      async call(method, path, body) {
        const response = await client
          .fetchProtectedResource(
            config,
            accessToken,
            new URL(path, home),
            method,
            body === undefined ? undefined : JSON.stringify(body),
            new Headers({ 'content-type': 'application/json', 'idempotency-key': randomUUID() }),
            { DPoP },
          )
          .catch((error: unknown) => {
            if (error instanceof client.WWWAuthenticateChallengeError && error.response)
              return error.response;
            throw error;
          });
        return { status: response.status, body: (await response.json()) as Claims };
      },
    };
  };

  return {
    issuer,
    listed: {
      issuer,
      name: 'Acme',
      organization: 'acme',
      scopes: ['market:read', 'portfolio:read', 'orders:read', 'orders:cancel', 'orders:propose'],
      people: { 'acme-alice': 'alice', 'acme-bob': 'bob' },
      clients: [{ client_id: CLIENT, name: 'trade-agent at Acme', jwks: { keys: [clientKey] } }],
      groups: false,
      signals: { audience: AUDIENCE },
    },
    event: (claims = {}, header = {}, key) =>
      sign(
        {
          iss: issuer,
          aud: AUDIENCE,
          jti: randomUUID(),
          iat: seconds(),
          sub_id: { format: 'iss_sub', iss: issuer, sub: 'acme-alice' },
          events: { [SESSION_REVOKED]: { event_timestamp: seconds(), initiating_entity: 'admin' } },
          ...claims,
        },
        { typ: 'secevent+jwt', ...header },
        key,
      ),
    logout: (claims = {}, header = {}) =>
      sign(
        {
          iss: issuer,
          aud: CLIENT,
          sub: 'acme-alice',
          sid: 'a session of theirs',
          jti: randomUUID(),
          iat: seconds(),
          exp: seconds() + 120,
          events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
          ...claims,
        },
        { typ: 'logout+jwt', ...header },
      ),
    assertion,
    redeem,
    signIn: async (home, sub) => redeem(home, await assertion(home, sub)),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** Pushes a Security Event Token to a home (RFC 8935 §2.1). */
export async function push(
  home: string,
  token: string,
  type = 'application/secevent+jwt',
): Promise<{ status: number; body: Claims | undefined }> {
  return answerOf(
    await fetch(`${home}/signals/events`, { method: 'POST', headers: { 'content-type': type }, body: token }),
  );
}

/** Posts a logout token (Back-Channel Logout 1.0 §2.5). */
export async function logOut(
  home: string,
  token: string,
): Promise<{ status: number; body: Claims | undefined; headers: Headers }> {
  const response = await fetch(`${home}/backchannel-logout`, {
    method: 'POST',
    body: new URLSearchParams({ logout_token: token }),
  });
  return { ...(await answerOf(response)), headers: response.headers };
}

async function answerOf(response: Response): Promise<{ status: number; body: Claims | undefined }> {
  const text = await response.text();
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
}
