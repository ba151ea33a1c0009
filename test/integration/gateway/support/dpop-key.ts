import { createHash, randomUUID } from 'node:crypto';
import { type CryptoKey, calculateJwkThumbprint, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

/** A key that tokens can be bound to, and the proofs it makes (RFC 9449 §4.2). */
export async function dpopKey() {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwk = await exportJWK(publicKey);
  const jkt = await calculateJwkThumbprint(jwk, 'sha256');
  return {
    jkt,
    privateKey,
    jwk,
    proof: (
      target: { method: string; url: string; token: string; at: number },
      changes: {
        claims?: Record<string, unknown>;
        header?: Record<string, unknown>;
        key?: CryptoKey;
        jwk?: JWK;
      } = {},
    ) => {
      const claims: Record<string, unknown> = {
        jti: randomUUID(),
        htm: target.method,
        htu: target.url,
        iat: Math.floor(target.at / 1000),
        ath: createHash('sha256').update(target.token).digest('base64url'),
        ...changes.claims,
      };
      for (const [name, value] of Object.entries(claims)) if (value === undefined) delete claims[name];
      return new SignJWT(claims)
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: changes.jwk ?? jwk, ...changes.header })
        .sign(changes.key ?? privateKey);
    },
  };
}
