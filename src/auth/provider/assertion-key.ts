import { type CryptoKey, importJWK, type JWK } from 'jose';
import { defined } from '../../values/defined.ts';

/** Returns the public members of a client's key for registering it (RFC 7517). */
export function publicClientKey({ kty, crv, x, y, n, e, alg, kid }: JWK): Record<string, string> {
  const members = Object.entries({ kty, crv, x, y, n, e, alg, use: 'sig', kid });
  return Object.fromEntries(members.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/**
 * Converts a confidential client's private key (`private_key_jwt`, RFC 7523 §2.2) to the form that openid-client and
 * oauth4webapi expect.
 * @param privateKey a JWK; if the JWK has no `alg`, the algorithm is ES256. Assertions name the key's `kid`, if any.
 * Keys for Auth0 have no `kid`, because Auth0 assigns its own key IDs
 */
export async function toAssertionKey(
  privateKey: CryptoKey | JWK,
): Promise<{ readonly key: CryptoKey; readonly kid?: string }> {
  if (!('kty' in privateKey)) return { key: privateKey as CryptoKey };
  const key = await importJWK(privateKey, privateKey.alg ?? 'ES256');
  if (key instanceof Uint8Array) throw new TypeError('a client of the gateway needs an asymmetric key');
  return { key, ...defined({ kid: privateKey.kid }) };
}
