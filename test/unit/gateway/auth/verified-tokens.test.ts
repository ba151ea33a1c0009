import { type CryptoKey, generateKeyPair } from 'jose';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import { cacheTokenVerifications } from '../../../../src/gateway/auth/token-verifier.ts';
import { HttpProblem } from '../../../../src/trading/http-problem.ts';

const NOW = Date.parse('2026-11-02T15:00:00Z');
const EXPIRES = NOW + 300_000;
const header = { alg: 'ES256', kid: 'k1' };

let keys: readonly CryptoKey[];
beforeAll(async () => {
  keys = (await Promise.all([generateKeyPair('ES256'), generateKeyPair('ES256')])).map((pair) => pair.publicKey);
});

/** What is verified whole, and the provider's key of the moment; `undefined`: it can't be told. */
let whole: string[];
let current: CryptoKey | undefined;
let claimsOf: ReturnType<typeof cacheTokenVerifications>;
beforeEach(() => {
  whole = [];
  current = keys[0];
  const key = async () => {
    if (current === undefined) throw new HttpProblem(503, 'provider_unreachable', 'out of reach');
    return current;
  };
  claimsOf = cacheTokenVerifications({ key }, async (token) => {
    whole.push(token);
    const claims = { sub: `of ${token}`, jti: token, iat: NOW / 1000, exp: EXPIRES / 1000 };
    if (token.startsWith('bad')) throw new HttpProblem(401, 'token_signature', 'wrong');
    return { claims, header, key: await key() };
  });
});

it('a token is verified whole once, and its claims are its own', async () => {
  expect((await claimsOf('a', NOW)).sub).toBe('of a');
  expect((await claimsOf('b', NOW)).sub).toBe('of b');
  expect((await claimsOf('a', NOW + 1)).sub).toBe('of a');
  expect((await claimsOf('a', EXPIRES - 1)).sub).toBe('of a');
  expect(whole).toEqual(['a', 'b']);
});

it.each([
  ['has expired', EXPIRES, () => undefined],
  ['is looked at by a clock that was set back', NOW - 1, () => undefined],
  [
    'is by a key that the provider has no more',
    NOW + 1,
    () => {
      current = keys[1];
    },
  ],
])('one that %s is verified whole again', async (_, at, change) => {
  await claimsOf('a', NOW);
  change();
  await claimsOf('a', at);
  expect(whole).toEqual(['a', 'a']);
});

it('while the provider’s keys can’t be told, what held is not believed', async () => {
  await claimsOf('a', NOW);
  current = undefined;
  await expect(claimsOf('a', NOW + 1)).rejects.toMatchObject({ code: 'provider_unreachable' });
});

it('one that was refused is refused again', async () => {
  await expect(claimsOf('bad', NOW)).rejects.toMatchObject({ code: 'token_signature' });
  await expect(claimsOf('bad', NOW)).rejects.toMatchObject({ code: 'token_signature' });
});

it('no more than a thousand are kept', async () => {
  for (let number = 0; number <= 1_000; number++) await claimsOf(`t${number}`, NOW);
  whole.length = 0;
  await claimsOf('t1000', NOW);
  expect(whole).toEqual([]);
  await claimsOf('t0', NOW);
  expect(whole).toEqual(['t0']);
});
