import { createHash, randomUUID } from 'node:crypto';
import Database from 'better-sqlite3-multiple-ciphers';
import { calculateJwkThumbprint, exportJWK, type GenerateKeyPairResult, generateKeyPair, SignJWT } from 'jose';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { verifyDpopProof } from '../../../../src/gateway/auth/token-verifier.ts';
import { prepareProviderDatabase } from '../../../../src/store/home/schema.ts';
import { createProofStore } from '../../../../src/store/sql/proof-store.ts';
import { createSqliteTransactions } from '../../../../src/store/sqlite/sql-database.ts';

const NOW = Date.parse('2026-11-02T15:00:00Z');
const request = {
  method: 'GET',
  url: 'https://gateway.example/v1/account',
  accessToken: 'a-token',
  now: NOW,
};
const seen = createProofStore(
  createSqliteTransactions(prepareProviderDatabase(new Database(':memory:'))),
  'dpop_proofs',
);

let pair: GenerateKeyPairResult;
let thumbprint: string;
const imported = vi.spyOn(crypto.subtle, 'importKey');
beforeEach(async () => {
  pair = await generateKeyPair('ES256', { extractable: true });
  thumbprint = await calculateJwkThumbprint(await exportJWK(pair.publicKey));
  imported.mockClear();
});
afterEach(() => imported.mockClear());

async function proof({ jwk, key }: { jwk?: object; key?: GenerateKeyPairResult['privateKey'] } = {}) {
  const ath = createHash('sha256').update(request.accessToken).digest('base64url');
  return new SignJWT({ jti: randomUUID(), htm: request.method, htu: request.url, ath, iat: NOW / 1000 })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk: jwk ?? (await exportJWK(pair.publicKey)) })
    .sign(key ?? pair.privateKey);
}
const verify = (text: string, by = thumbprint) => verifyDpopProof(text, { ...request, thumbprint: by }, seen);

it('a key is read once, however many proofs are by it', async () => {
  for (let number = 0; number < 3; number++) await verify(await proof());
  expect(imported).toHaveBeenCalledTimes(1);
});

it('a key that is known by now proves nothing by itself', async () => {
  await verify(await proof());
  const { privateKey } = await generateKeyPair('ES256');
  await expect(verify(await proof({ key: privateKey }))).rejects.toMatchObject({
    code: 'dpop_proof_signature',
  });
  await expect(verify(await proof(), 'of another key')).rejects.toMatchObject({ code: 'dpop_key_mismatch' });
  const once = await proof();
  await verify(once);
  await expect(verify(once)).rejects.toMatchObject({ code: 'dpop_proof_replayed' });
});

it('a header that holds the private key is refused, though the public one is known', async () => {
  await verify(await proof());
  const jwk = await exportJWK(pair.privateKey);
  await expect(verify(await proof({ jwk }))).rejects.toMatchObject({ code: 'dpop_proof_malformed' });
});

it('a key whose proofs came to nothing is not kept', async () => {
  await expect(verify(await proof(), 'of another key')).rejects.toMatchObject({ code: 'dpop_key_mismatch' });
  await verify(await proof());
  expect(imported).toHaveBeenCalledTimes(2);
});
