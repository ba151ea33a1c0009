import { createPublicKey, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  clientKeySchema,
  generateClientKey,
  importClientKey,
  publicPem,
  registeredJwk,
} from '../../../src/auth/client-key.ts';
import { MAX_VALUE_LENGTH } from '../../../src/auth/credential-store/credential-store.ts';

describe('a client’s RSA key', () => {
  it('kept as its primes signs what its public key verifies', async () => {
    const key = clientKeySchema.parse(JSON.parse(JSON.stringify(await generateClientKey('RSA'))));
    const data = Buffer.from('assertion');
    const signature = await crypto.subtle.sign('RSASSA-PKCS1-v1_5', await importClientKey(key), data);
    const jwk = await registeredJwk(key);
    expect(jwk).toMatchObject({ kty: 'RSA', alg: 'RS256', e: 'AQAB' });
    expect(Buffer.from(jwk.kty === 'RSA' ? jwk.n : '', 'base64url')).toHaveLength(256);
    expect(verify('sha256', data, createPublicKey(publicPem(jwk)), Buffer.from(signature))).toBe(true);
  });

  it('fits into a keychain beside its successor', async () => {
    const [key, next_key] = [await generateClientKey('RSA'), await generateClientKey('RSA')];
    const issuer = `https://${'x'.repeat(100)}.auth0.com/`;
    expect(JSON.stringify({ issuer, client_id: 'x'.repeat(64), key, next_key }).length).toBeLessThan(
      MAX_VALUE_LENGTH,
    );
  });

  it('shows nothing private', async () => {
    for (const kty of ['EC', 'RSA'] as const) {
      const shown = await registeredJwk(await generateClientKey(kty));
      for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi']) expect(shown).not.toHaveProperty(secret);
    }
  });
});
