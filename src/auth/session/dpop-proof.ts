import { createHash, randomUUID } from 'node:crypto';
import type { Clock } from '../../machine/clock.ts';
import { defined } from '../../values/defined.ts';
import { importKeyPair, type PrivateJwk, publicJwk } from './dpop-key.ts';

export type DpopProver = ReturnType<typeof createDpopProver>;

export function createDpopProver(key: PrivateJwk, clock: Clock) {
  // The key is imported on first use, because WebCrypto and jose take a while to load and some commands send no
  // requests.
  let signingKey: ReturnType<typeof importKeyPair> | undefined;
  const jwk = publicJwk(key);
  const nonces = new Map<string, string>();
  return {
    /**
     * Signs a proof for one request (RFC 9449 §4.2). `htu` omits query and fragment; `ath` binds the proof to the
     * access token.
     */
    async proof({ method, url, accessToken }: { method: string; url: URL; accessToken: string }) {
      const { SignJWT } = await import('jose');
      signingKey ??= importKeyPair(key);
      const { privateKey } = await signingKey;
      const nonce = nonces.get(url.origin);
      return new SignJWT({
        jti: randomUUID(),
        htm: method,
        htu: `${url.origin}${url.pathname}`,
        ath: createHash('sha256').update(accessToken).digest('base64url'),
        ...defined({ nonce }),
      })
        .setIssuedAt(Math.floor(clock.now() / 1000))
        .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk })
        .sign(privateKey);
    },
    /** Stores the nonce that a server sent for the next request to it (RFC 9449 §8.2). */
    rememberNonce(url: URL, response: Response) {
      const nonce = response.headers.get('dpop-nonce');
      if (nonce) nonces.set(url.origin, nonce);
    },
  };
}
