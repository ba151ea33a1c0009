import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, type JWTPayload, SignJWT } from 'jose';
import type { Company } from '../../../../src/home/identity-provider/companies/company.ts';

export const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';
const ASSERTION = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

interface SigningKey {
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

export async function newKey(kid: string, alg = 'ES256'): Promise<SigningKey> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}

export type CompanyIssuer = Awaited<ReturnType<typeof startIssuer>>;

/** A company's identity provider as far as a home asks it anything: metadata and keys, on loopback. */
export async function startIssuer() {
  const state = { keys: [await newKey('first')], isDown: false, reads: 0 };
  const server = createServer((request, response) => {
    state.reads += 1;
    // It took the connection, and says nothing.
    if (state.isDown) return;
    const body: Record<string, unknown> = {
      '/.well-known/openid-configuration': { issuer, jwks_uri: `${issuer}/jwks` },
      '/jwks': { keys: state.keys.map(({ jwk }) => jwk) },
    };
    const found = body[request.url ?? ''];
    response.writeHead(found === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(found ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    issuer,
    state,
    /** Signs what it says, by its newest key unless another is named. */
    sign: (
      claims: JWTPayload,
      header: { typ?: string; alg?: string; kid?: string } = {},
      key?: CryptoKey | Uint8Array,
    ) => {
      const [newest] = state.keys;
      if (newest === undefined) throw new Error('it has no key');
      return new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', typ: 'oauth-id-jag+jwt', kid: newest.jwk.kid ?? '', ...header })
        .sign(key ?? newest.privateKey);
    },
    close: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** A client of a company's, with its keys. */
export interface CompanyClientKeys {
  readonly id: string;
  readonly key: SigningKey;
  /** What its tokens are bound to. */
  readonly dpop: SigningKey;
}

export async function newClient(id: string): Promise<CompanyClientKeys> {
  return { id, key: await newKey(id), dpop: await newKey('dpop') };
}

export function companyOfTests(issuer: string, client: CompanyClientKeys, changes: Partial<Company> = {}): Company {
  return {
    issuer,
    name: 'Acme',
    organization: 'acme',
    scopes: ['market:read', 'portfolio:read', 'orders:read', 'orders:propose'],
    people: { 'u-alice': 'alice', 'u-bob': 'bob', 'u-gone': 'carol' },
    clients: [{ client_id: client.id, name: 'Agent at Acme', jwks: { keys: [client.key.jwk] } }],
    groups: true,
    ...changes,
  };
}

/** What a valid one says. */
export function validClaims(issuer: string, home: { issuer: string; resource: string }, clientId: string) {
  const now = Math.floor(Date.now() / 1000);
  return {
    iss: issuer,
    sub: 'u-alice',
    aud: home.issuer,
    client_id: clientId,
    jti: randomUUID(),
    iat: now,
    exp: now + 300,
    resource: home.resource,
    scope: 'market:read orders:read orders:propose',
    groups: ['traders', 'staff'],
  };
}

/** `private_key_jwt`, RFC 7523 §2.2. */
export async function clientAssertion({ id, key }: CompanyClientKeys, issuer: string): Promise<Record<string, string>> {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: id, sub: id, aud: issuer, jti: randomUUID(), iat: now, exp: now + 60 };
  return {
    client_assertion_type: ASSERTION,
    client_assertion: await new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', kid: key.jwk.kid ?? '' })
      .sign(key.privateKey),
  };
}

/** RFC 9449 §4.2. */
export function dpopProof(
  { privateKey, jwk: { kid: _, use: __, alg: ___, ...jwk } }: SigningKey,
  htm: string,
  htu: string,
  claims: JWTPayload = {},
): Promise<string> {
  return new SignJWT({ htm, htu, jti: randomUUID(), ...claims })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
    .setIssuedAt()
    .sign(privateKey);
}

export interface Redeemed {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

/** One request at a home's token endpoint; what is undefined among the parameters is left out. */
export async function redeem(
  home: string,
  client: CompanyClientKeys,
  assertion: string,
  changes: {
    readonly parameters?: Readonly<Record<string, string | undefined>>;
    /** Undefined for none. */
    readonly proof?: string | undefined;
  } = {},
): Promise<Redeemed> {
  const url = `${home}/token`;
  const proof = 'proof' in changes ? changes.proof : await dpopProof(client.dpop, 'POST', url);
  const parameters = {
    grant_type: JWT_BEARER,
    assertion,
    ...(await clientAssertion(client, home)),
    ...changes.parameters,
  };
  const said = Object.entries(parameters).filter((entry): entry is [string, string] => entry[1] !== undefined);
  const response = await fetch(url, {
    method: 'POST',
    headers: proof === undefined ? {} : { dpop: proof },
    body: new URLSearchParams(said),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}
