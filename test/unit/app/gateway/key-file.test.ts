import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createClientKey,
  prepareNextKey,
  readClientKey,
  readOrCreateSealSecret,
  switchToNextKey,
} from '../../../../src/app/gateway/key-file.ts';
import { createTokenSeal } from '../../../../src/secrets/token-seal.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-keys-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('what approvals are sealed under', () => {
  it('is made once, for the owner alone', () => {
    const made = readOrCreateSealSecret(folder);
    expect(made).toMatch(/^[\w-]{43}$/);
    expect(readOrCreateSealSecret(folder)).toBe(made);
    expect(statSync(join(folder, 'seal.key')).mode & 0o777).toBe(0o600);
  });

  it('opens what was approved before the key of the clients was replaced', async () => {
    await createClientKey(folder, 'EC');
    const before = readClientKey(folder).d;
    const sealed = createTokenSeal(readOrCreateSealSecret(folder)).seal('a token', 'its row');
    await prepareNextKey(folder);
    await switchToNextKey(folder, async () => undefined);
    expect(readClientKey(folder).d).not.toBe(before);
    expect(createTokenSeal(readOrCreateSealSecret(folder)).open(sealed, 'its row')).toBe('a token');
  });

  it('is refused where the file holds anything else', () => {
    writeFileSync(join(folder, 'seal.key'), 'short', { mode: 0o600 });
    expect(() => readOrCreateSealSecret(folder)).toThrow(/seal\.key can't be used/);
  });
});
