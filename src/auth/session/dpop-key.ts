import { generateKeyPair, type webcrypto } from 'node:crypto';
import { promisify } from 'node:util';
import type { DPoPHandle } from 'openid-client';
import { z } from 'zod';
import { TradeAgentError } from '../../errors/errors.ts';

/** An ES256 private key as a JWK (RFC 7518 §6.2). */
const privateJwkSchema = z.object({
  kty: z.literal('EC'),
  crv: z.literal('P-256'),
  x: z.string(),
  y: z.string(),
  d: z.string(),
});
export type PrivateJwk = z.output<typeof privateJwkSchema>;
type PublicJwk = Omit<PrivateJwk, 'd'>;

export async function generatePrivateJwk(): Promise<PrivateJwk> {
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
  return privateJwkSchema.parse(privateKey.export({ format: 'jwk' }));
}

/** Returns the public half of the key, which may leave this machine. */
export function publicJwk({ kty, crv, x, y }: PrivateJwk): PublicJwk {
  return { kty, crv, x, y };
}

/** Parses a stored key. @throws {TradeAgentError} `credential_store_unavailable` if the stored text isn't a key */
export function parsePrivateJwk(text: string): PrivateJwk {
  try {
    return privateJwkSchema.parse(JSON.parse(text));
  } catch {
    throw new TradeAgentError('credential_store_unavailable', 'a stored key is damaged', {
      hint: 'Run "trade-agent logout", then "trade-agent login".',
    });
  }
}

/** Imports the key pair into WebCrypto. The private half can't be exported again. */
export async function importKeyPair(jwk: PrivateJwk): Promise<webcrypto.CryptoKeyPair> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256' };
  const [privateKey, publicKey] = await Promise.all([
    crypto.subtle.importKey('jwk', jwk, algorithm, false, ['sign']),
    crypto.subtle.importKey('jwk', publicJwk(jwk), algorithm, true, ['verify']),
  ]);
  return { privateKey, publicKey };
}

/** Creates a DPoP handle for openid-client's requests to the provider. The handle stores the provider's nonces. */
export async function createDpopHandle(
  configuration: Parameters<typeof import('openid-client').getDPoPHandle>[0],
  jwk: PrivateJwk,
): Promise<DPoPHandle> {
  const { getDPoPHandle } = await import('openid-client');
  return getDPoPHandle(configuration, await importKeyPair(jwk));
}
