import { createPrivateKey, createPublicKey, generateKeyPair, type webcrypto } from 'node:crypto';
import { promisify } from 'node:util';
import { z } from 'zod';
import { generatePrivateJwk, privateJwkSchema } from './dpop-key.ts';

/**
 * An RSA key by its two primes (RFC 7518 §6.3.2, base64url): all else follows from them, and written out in full it
 * would not fit into a Windows keychain.
 */
const rsaPrimesSchema = z.strictObject({ kty: z.literal('RSA'), p: z.string(), q: z.string() });

/** The private key of a confidential client, as it is kept. */
export const clientKeySchema = z.discriminatedUnion('kty', [privateJwkSchema, rsaPrimesSchema]);
export type ClientKey = z.output<typeof clientKeySchema>;

/** What providers want: `EC` is ES256, `RSA` is RS256 with 2048 bits, for those that take no other. */
export type ClientKeyType = ClientKey['kty'];

/** A public key as it is registered at a provider. `kid` is its thumbprint (RFC 7638). */
export type RegisteredJwk =
  | { kty: 'EC'; crv: string; x: string; y: string; kid: string; alg: 'ES256'; use: 'sig' }
  | { kty: 'RSA'; n: string; e: string; kid: string; alg: 'RS256'; use: 'sig' };

const RSA_BITS = 2048;
const RSA_EXPONENT = 65537n;

/** A new key, made on this machine. */
export async function generateClientKey(kty: ClientKeyType): Promise<ClientKey> {
  if (kty === 'EC') return await generatePrivateJwk();
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: RSA_BITS });
  const { p, q } = privateKey.export({ format: 'jwk' });
  return rsaPrimesSchema.parse({ kty, p, q });
}

/** What may leave this machine. */
export async function registeredJwk(key: ClientKey): Promise<RegisteredJwk> {
  const { calculateJwkThumbprint } = await import('jose');
  if (key.kty === 'EC') {
    const { kty, crv, x, y } = key;
    return {
      kty,
      crv,
      x,
      y,
      kid: await calculateJwkThumbprint({ kty, crv, x, y }),
      alg: 'ES256',
      use: 'sig',
    };
  }
  const { n, e } = rsaPrivateJwk(key);
  const { kty } = key;
  return { kty, n, e, kid: await calculateJwkThumbprint({ kty, n, e }), alg: 'RS256', use: 'sig' };
}

/** The public key as PEM (SPKI), which is what Auth0's dashboard takes. */
export function publicPem(key: RegisteredJwk): string {
  return createPublicKey({ key, format: 'jwk' }).export({ type: 'spki', format: 'pem' }).toString();
}

/** The private key for WebCrypto; it can't be exported again. */
export async function importClientKey(key: ClientKey): Promise<webcrypto.CryptoKey> {
  return key.kty === 'EC'
    ? await crypto.subtle.importKey('jwk', key, { name: 'ECDSA', namedCurve: 'P-256' }, false, ['sign'])
    : await crypto.subtle.importKey(
        'jwk',
        rsaPrivateJwk(key),
        { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' },
        false,
        ['sign'],
      );
}

/** RFC 8017 §3.2: the whole key from its primes. */
function rsaPrivateJwk(primes: z.output<typeof rsaPrimesSchema>) {
  const p = toBigInt(primes.p);
  const q = toBigInt(primes.q);
  const d = inverse(RSA_EXPONENT, (p - 1n) * (q - 1n));
  const jwk = {
    kty: 'RSA' as const,
    n: toText(p * q),
    e: toText(RSA_EXPONENT),
    d: toText(d),
    p: toText(p),
    q: toText(q),
    dp: toText(d % (p - 1n)),
    dq: toText(d % (q - 1n)),
    qi: toText(inverse(q, p)),
  };
  // Throws for what is no key.
  createPrivateKey({ key: jwk, format: 'jwk' });
  return jwk;
}

/** The number x with value · x = 1 (mod modulus), by Euclid's extended algorithm. */
function inverse(value: bigint, modulus: bigint): bigint {
  let [r, nextR] = [modulus, value % modulus];
  let [t, nextT] = [0n, 1n];
  while (nextR !== 0n) {
    const quotient = r / nextR;
    [r, nextR] = [nextR, r - quotient * nextR];
    [t, nextT] = [nextT, t - quotient * nextT];
  }
  return t < 0n ? t + modulus : t;
}

function toBigInt(text: string): bigint {
  return BigInt(`0x${Buffer.from(text, 'base64url').toString('hex')}`);
}

function toText(value: bigint): string {
  const hex = value.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex').toString('base64url');
}
