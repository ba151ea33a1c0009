import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';
import { beforeEach, expect, it } from 'vitest';
import { verifyIdToken } from '../../../../src/auth/provider/id-token.ts';
import { systemClock } from '../../../../src/machine/clock.ts';

const issuer = 'https://id.example';
const metadata = {
  issuer,
  jwks_uri: `${issuer}/jwks`,
  id_token_signing_alg_values_supported: ['ES256'],
};

interface Signer {
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}
let published: JWK[];
let requests: number;
let isDown: boolean;
let fetchKeys: typeof fetch;
beforeEach(() => {
  published = [];
  requests = 0;
  isDown = false;
  fetchKeys = async () => {
    requests += 1;
    if (isDown) throw new TypeError('fetch failed', { cause: { code: 'ECONNREFUSED' } });
    return Response.json({ keys: published });
  };
});

async function signer(kid: string): Promise<Signer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256' } };
}

async function verified(by: Signer, fetch = fetchKeys): Promise<string> {
  const idToken = await new SignJWT()
    .setProtectedHeader({ alg: 'ES256', kid: by.jwk.kid ?? '' })
    .setIssuer(issuer)
    .setSubject('alice')
    .setAudience('a-client')
    .setIssuedAt()
    .setExpirationTime('5m')
    .sign(by.privateKey);
  const clock = { ...systemClock, sleep: async () => undefined };
  return (await verifyIdToken(idToken, { metadata, clientId: 'a-client', clock, fetch })).sub;
}

it('the provider’s keys are fetched once for many ID tokens, and by each who asks', async () => {
  const first = await signer('k1');
  published = [first.jwk];
  for (let number = 0; number < 3; number++) expect(await verified(first)).toBe('alice');
  expect(requests).toBe(1);
  expect(await verified(first, (url, init) => fetchKeys(url, init))).toBe('alice');
  expect(requests).toBe(2);
});

it.each([
  ['another id', 'k2'],
  ['the same id', 'k1'],
])('a key that is newer than what was fetched, under %s, is fetched at once', async (_, kid) => {
  const first = await signer('k1');
  published = [first.jwk];
  await verified(first);
  const next = await signer(kid);
  published = [next.jwk];
  expect(await verified(next)).toBe('alice');
  expect(requests).toBe(2);
});

it('where that can’t be fetched, it is the provider that is out of reach, and not the token that is bad', async () => {
  const first = await signer('k1');
  published = [first.jwk];
  await verified(first);
  isDown = true;
  expect(await verified(first)).toBe('alice');
  await expect(verified(await signer('k2'))).rejects.toMatchObject({ code: 'provider_unreachable' });
  // Three times: a stumble of the network must not cost the token.
  expect(requests).toBe(4);
});

it('a token by nobody’s key is refused, whatever was fetched before, after one more look', async () => {
  const first = await signer('k1');
  published = [first.jwk];
  const refused = { code: 'provider_error' };
  await expect(verified(await signer('k1'))).rejects.toMatchObject(refused);
  expect(requests).toBe(1);
  await expect(verified(await signer('k1'))).rejects.toMatchObject(refused);
  expect(requests).toBe(2);
});
