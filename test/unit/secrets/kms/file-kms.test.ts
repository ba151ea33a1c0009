import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addWrappingKey, openFileKms } from '../../../../src/secrets/kms/file-kms.ts';
import { kmsContract } from '../../../contract/secrets/kms.ts';

const inFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-kms-'));
  return { file: join(folder, 'wrapping-keys.json'), remove: () => rmSync(folder, { recursive: true }) };
};

kmsContract(async () => {
  const { file, remove } = inFolder();
  await addWrappingKey(file);
  return { kms: openFileKms(file), rotate: () => addWrappingKey(file), close: async () => remove() };
});

describe('a file of wrapping keys', () => {
  let file: string;
  let remove: () => void;
  beforeEach(() => {
    ({ file, remove } = inFolder());
  });
  afterEach(() => remove());

  const key = Buffer.alloc(32, 7);
  const refusal = (why: string) => ({
    code: 'credential_store_unavailable',
    message: expect.stringContaining(why),
  });

  it('is its owner’s alone, and refused where others may read it', async () => {
    await addWrappingKey(file);
    expect(statSync(file).mode & 0o077).toBe(0);
    chmodSync(file, 0o644);
    await expect(openFileKms(file).wrap(key, 'c')).rejects.toMatchObject(refusal('other users can read'));
  });

  it('is never made by who only uses it', async () => {
    await expect(openFileKms(file).wrap(key, 'c')).rejects.toMatchObject(refusal('does not exist'));
  });

  it('keeps every key when several are added at once', async () => {
    await Promise.all(Array.from({ length: 5 }, () => addWrappingKey(file)));
    const { keys } = JSON.parse(readFileSync(file, 'utf8')) as { keys: { id: string }[] };
    expect(new Set(keys.map(({ id }) => id)).size).toBe(5);
  });

  it('unwraps nothing by a key of another file', async () => {
    const other = inFolder();
    for (const one of [file, other.file]) await addWrappingKey(one);
    const wrapped = await openFileKms(other.file).wrap(key, 'c');
    other.remove();
    await expect(openFileKms(file).unwrap(wrapped, 'c')).rejects.toMatchObject(refusal('the required key'));
  });

  it('that is damaged is told without a word of what is in it, and not written over', async () => {
    await addWrappingKey(file);
    const damaged = readFileSync(file, 'utf8').replace('"version":1', '"version":2');
    writeFileSync(file, damaged);
    const [, secret] = /"key":"([^"]+)"/.exec(damaged) ?? [];
    for (const use of [openFileKms(file).wrap(key, 'c'), addWrappingKey(file)]) {
      const error = await use.catch((thrown: Error) => thrown);
      expect(error).toMatchObject(refusal('damaged'));
      expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(secret);
    }
    expect(readFileSync(file, 'utf8')).toBe(damaged);
  });
});
