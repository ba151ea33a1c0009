import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createDataKeys, type DataKeys } from '../../../../src/secrets/envelope/data-keys.ts';
import { createSecretSeal, type SecretSeal } from '../../../../src/secrets/envelope/secret-seal.ts';
import { addWrappingKey, openFileKms } from '../../../../src/secrets/kms/file-kms.ts';
import type { Kms } from '../../../../src/secrets/kms/kms.ts';
import { VirtualClock } from '../../../virtual-clock.ts';
import { dataKeyRows } from './data-key-rows.ts';

let folder: string;
let file: string;
let rows: ReturnType<typeof dataKeyRows>;
let asked: string[];
let clock: VirtualClock;
let keys: DataKeys;
let secrets: SecretSeal;

/** A process's: with nothing unwrapped yet. */
const opened = (): DataKeys => {
  const kms = openFileKms(file);
  const counted: Kms = {
    wrap: (key, context) => kms.wrap(key, context),
    unwrap: (wrapped, context) => {
      asked.push(context);
      return kms.unwrap(wrapped, context);
    },
  };
  return createDataKeys(counted, rows, clock);
};

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-envelope-'));
  file = join(folder, 'wrapping-keys.json');
  await addWrappingKey(file);
  rows = dataKeyRows();
  asked = [];
  clock = new VirtualClock();
  keys = opened();
  secrets = createSecretSeal(keys);
});
afterEach(() => rmSync(folder, { recursive: true }));

const alice = { tenant: 'acme', sub: 'alice', name: 'refresh_token' };
const unusable = { code: 'credential_store_unavailable', hint: expect.any(String) };

describe('a tenant’s data key', () => {
  it('is one for all who ask at once, in any process, and another for another tenant', async () => {
    const others = [keys, opened(), opened()];
    const found = await Promise.all(others.map((one) => one.newest('acme')));
    expect(new Set(found.map(({ key }) => key.toString('hex'))).size).toBe(1);
    expect(found[0]?.key).toHaveLength(32);
    expect((await keys.newest('other')).key).not.toEqual(found[0]?.key);
  });

  it('is kept wrapped alone', async () => {
    const { key } = await keys.newest('acme');
    const kept = JSON.stringify([...rows.kept]);
    for (const form of ['hex', 'base64', 'base64url'] as const) expect(kept).not.toContain(key.toString(form));
  });

  it('is not another tenant’s, where its row was copied there', async () => {
    await keys.newest('acme');
    const [row] = rows.kept.get('acme') ?? [];
    if (row !== undefined) await rows.add('other', row);
    await expect(opened().newest('other')).rejects.toMatchObject(unusable);
  });

  it('is asked for at the KMS once in five minutes, however many ask at once', async () => {
    await keys.newest('acme');
    asked.length = 0;
    const other = opened();
    await Promise.all(Array.from({ length: 10 }, () => other.newest('acme')));
    await other.find('acme', 1);
    expect(asked).toHaveLength(1);
    clock.advance(5 * 60_000);
    await other.find('acme', 1);
    await other.find('acme', 1);
    expect(asked).toHaveLength(2);
  });

  it('is forgotten for others’ once a thousand are known, the one longest known first', async () => {
    for (let tenant = 0; tenant <= 1_000; tenant++) await keys.newest(`tenant-${tenant}`);
    asked.length = 0;
    await keys.newest('tenant-1');
    expect(asked).toEqual([]);
    await keys.newest('tenant-0');
    expect(asked).toHaveLength(1);
  });

  it('that the KMS did not unwrap is asked for again', async () => {
    await keys.newest('acme');
    const wrappingKeys = readFileSync(file);
    rmSync(file);
    const other = opened();
    await expect(other.newest('acme')).rejects.toMatchObject(unusable);
    writeFileSync(file, wrappingKeys, { mode: 0o600 });
    expect(await other.newest('acme')).toEqual(await keys.newest('acme'));
  });

  it('is wrapped again, so that the older wrapping key may go', async () => {
    const sealed = await secrets.seal(alice, 'one');
    await addWrappingKey(file);
    expect(await keys.rewrap('acme')).toBe(1);
    const ring = JSON.parse(readFileSync(file, 'utf8')) as { keys: object[] };
    writeFileSync(file, JSON.stringify({ ...ring, keys: ring.keys.slice(1) }));
    const later = createSecretSeal(opened());
    expect(await later.open(alice, sealed)).toBe('one');
    expect((await later.seal(alice, 'two')).keyVersion).toBe(1);
  });
});

describe('a sealed secret', () => {
  it('opens at its own place alone', async () => {
    const sealed = await secrets.seal(alice, 'secret');
    expect(await secrets.open(alice, sealed)).toBe('secret');
    for (const other of [
      { of: { ...alice, tenant: 'other' }, secret: sealed },
      { of: { ...alice, sub: 'bob' }, secret: sealed },
      { of: { ...alice, name: 'dpop_key' }, secret: sealed },
      { of: alice, secret: { ...sealed, keyVersion: 2 } },
    ]) {
      await keys.newest(other.of.tenant);
      await expect(secrets.open(other.of, other.secret)).rejects.toMatchObject(unusable);
    }
  });

  it('is no other’s whose parts read the same when joined', async () => {
    const sealed = await secrets.seal({ tenant: 'acme', sub: 'auth0|a', name: 'b' }, 'secret');
    await expect(secrets.open({ tenant: 'acme', sub: 'auth0', name: 'a|b' }, sealed)).rejects.toMatchObject(unusable);
  });

  it('of a key that is gone is told, and names no secret', async () => {
    await expect(secrets.open(alice, { keyVersion: 9, sealed: Buffer.from('secret') })).rejects.toMatchObject({
      ...unusable,
      message: expect.not.stringContaining('secret'),
    });
  });
});
