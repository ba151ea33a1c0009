import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createWrappedKeys, sealSecretDigest } from '../../../../src/app/gateway/gateway-keys.ts';
import { createClientKey, readClientKey, readOrCreateSealSecret } from '../../../../src/app/gateway/key-file.ts';
import { addWrappingKey, openFileKms } from '../../../../src/secrets/kms/file-kms.ts';
import { createTokenSeal } from '../../../../src/secrets/token-seal.ts';
import type { GatewayKeyRows, WrappedGatewayKey } from '../../../../src/store/gateway-key-rows.ts';

let root: string;
let kmsFile: string;
let kept: WrappedGatewayKey[];
let check: string | undefined;
beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'trade-agent-wrapped-'));
  kmsFile = join(root, 'wrapping-keys.json');
  await addWrappingKey(kmsFile);
  kept = [];
  check = undefined;
});
afterEach(() => rmSync(root, { recursive: true }));

/** What test/postgres/gateway-key-rows.test.ts holds the database to. */
const rows: GatewayKeyRows = {
  all: async () => kept.toSorted((a, b) => b.version - a.version),
  async replace(removed, added) {
    const is = (one: WrappedGatewayKey) => (row: WrappedGatewayKey) =>
      row.name === one.name && row.version === one.version;
    if (!removed.every((one) => kept.find(is(one))?.wrapped === one.wrapped)) return false;
    const left = kept.filter((row) => !removed.some((one) => is(one)(row)));
    if (added.some((one) => left.some(is(one)))) return false;
    kept = [...left, ...added];
    return true;
  },
  async addFirstSeal(seal, given) {
    check ??= given;
    return check === given && (await rows.replace([], [seal]));
  },
};
const machine = (name: string, tenant = 'acme') =>
  createWrappedKeys({ kms: openFileKms(kmsFile), rows, tenant, folder: join(root, name) });

describe('the keys of gateways over one database', () => {
  it('are made once, and are the same at each, which copies no file', async () => {
    const made = await machine('one').make('EC');
    const [one, two] = await Promise.all([machine('one').seal(), machine('two').seal()]);
    expect(two).toEqual(one);
    expect(await machine('two').client()).toMatchObject({ ...made.jwk, d: expect.any(String) });
    await expect(machine('two').make('EC')).rejects.toMatchObject({ code: 'usage' });
    const stored = JSON.stringify(kept);
    for (const secret of [...one, (await machine('two').client()).d]) expect(stored).not.toContain(secret);
  });

  it('are taken over from a folder that had them', async () => {
    const before = join(root, 'before');
    await createClientKey(before, 'RSA');
    const seal = readOrCreateSealSecret(before);
    // As the gateway in that folder has left it.
    check = sealSecretDigest(seal);
    await expect(machine('another').seal()).rejects.toMatchObject({
      code: 'invalid_config',
      hint: expect.stringContaining('imports the key'),
    });
    expect(kept).toEqual([]);
    expect(await machine('before').client()).toEqual(readClientKey(before));
    expect(await machine('before').seal()).toEqual([seal]);
    expect(await machine('another').seal()).toEqual([seal]);
    expect(await machine('another').client()).toEqual(readClientKey(before));
  });

  it('are missed with what to do', async () => {
    await expect(machine('one').client()).rejects.toMatchObject({
      code: 'invalid_config',
      hint: expect.stringContaining('gateway key'),
    });
    await machine('one').make('EC');
    await expect(machine('one').switchToNext(async () => undefined)).rejects.toMatchObject({ code: 'usage' });
  });

  it('are unwrapped as another tenant’s, or in another place, by nobody', async () => {
    await machine('one').make('EC');
    await machine('one').seal();
    await expect(machine('one', 'other').client()).rejects.toMatchObject({
      code: 'credential_store_unavailable',
    });
    const [client, seal] = kept;
    kept = [{ ...client, wrapped: seal?.wrapped ?? '' } as WrappedGatewayKey];
    await expect(machine('one').client()).rejects.toMatchObject({ code: 'credential_store_unavailable' });
  });
});

describe('replacing them', () => {
  it('has what the next ones seal open at gateways that were started since, and the other way round', async () => {
    const made = await machine('one').make('RSA');
    const before = createTokenSeal(await machine('one').seal());
    const next = await machine('one').prepareNext();
    expect(next.jwk).toMatchObject({ kty: 'RSA' });
    expect(await machine('two').prepareNext()).toEqual(next);
    expect((await machine('two').client()).n).toBe(made.jwk.n);
    const between = createTokenSeal(await machine('two').seal());
    let tried: string | undefined;
    await machine('two').switchToNext(async ({ n }) => {
      tried = n;
    });
    expect(tried).toBe(next.jwk.n);
    const after = createTokenSeal(await machine('one').seal());
    for (const [sealing, opening] of [
      [before, after],
      [between, after],
      [before, between],
      [after, between],
    ] as const)
      expect(opening.open(sealing.seal('a token', 'its row'), 'its row')).toBe('a token');
    // It seals by the new one: who does not know it can't open it.
    expect(() => before.open(after.seal('a token', 'its row'), 'its row')).toThrow();
    expect((await machine('one').client()).n).toBe(next.jwk.n);
    await machine('one').prepareNext();
    await machine('one').switchToNext(async () => undefined);
    const later = createTokenSeal(await machine('one').seal());
    expect(later.open(before.seal('a token', 'its row'), 'its row')).toBe('a token');
  });

  it('leaves all as it was where the provider does not know the new one', async () => {
    await machine('one').make('EC');
    await machine('one').prepareNext();
    const before = kept;
    const refused = machine('one').switchToNext(() => Promise.reject(new Error('unknown client')));
    await expect(refused).rejects.toThrow('unknown client');
    expect(kept).toEqual(before);
  });

  it('is done by one of two who switch at once', async () => {
    await machine('one').make('EC');
    await machine('one').prepareNext();
    const together = Promise.withResolvers<void>();
    let here = 0;
    const tryIt = async () => {
      here += 1;
      if (here === 2) together.resolve();
      await together.promise;
    };
    const done = await Promise.allSettled([machine('one').switchToNext(tryIt), machine('two').switchToNext(tryIt)]);
    expect(done.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await machine('one').seal()).toHaveLength(2);
  });

  it('by a new wrapping key lets the old one go', async () => {
    await machine('one').make('EC');
    const [client, seal] = [await machine('one').client(), await machine('one').seal()];
    await addWrappingKey(kmsFile);
    await machine('one').rewrap();
    const { keys, ...ring } = JSON.parse(readFileSync(kmsFile, 'utf8'));
    writeFileSync(kmsFile, JSON.stringify({ ...ring, keys: keys.slice(-1) }), { mode: 0o600 });
    expect([await machine('one').client(), await machine('one').seal()]).toEqual([client, seal]);
  });
});
