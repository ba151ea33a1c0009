import { type CryptoKey, importJWK, type JWK } from 'jose';
import { defined } from '../../values/defined.ts';

/** What of a client's key may leave this machine, as it is registered (RFC 7517). */
export function publicHalf({ kty, crv, x, y, n, e, alg, kid }: JWK): Record<string, string> {
  const members = Object.entries({ kty, crv, x, y, n, e, alg, use: 'sig', kid });
  return Object.fromEntries(members.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])));
}

/**
 * The private key of a confidential client (`private_key_jwt`, RFC 7523 §2.2), as openid-client and oauth4webapi take it.
 * @param privateKey a JWK says its algorithm itself (`alg`); one without is ES256. Its `kid` is named in assertions where
 *   it has one: Auth0's has none, since keys get ids of its own there
 */
export async function assertionKey(
  privateKey: CryptoKey | JWK,
): Promise<{ readonly key: CryptoKey; readonly kid?: string }> {
  if (!('kty' in privateKey)) return { key: privateKey as CryptoKey };
  const key = await importJWK(privateKey, privateKey.alg ?? 'ES256');
  if (key instanceof Uint8Array) throw new TypeError('a client of the gateway needs an asymmetric key');
  return { key, ...defined({ kid: privateKey.kid }) };
}
