import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openFileStore } from '../../../../src/secrets/file/file-store.ts';
import { prefetchCredentials } from '../../../../src/secrets/prefetched-store.ts';
import { credentialStoreContract } from '../../../contract/secrets/credential-store.ts';

const SECRET = 'planted-secret-6b1f';
let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-store-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (profile = 'sandbox') => openFileStore({ folder, profile });
const file = () => join(folder, 'credentials-sandbox.json');
const keyFile = () => join(folder, 'credentials-sandbox.key');

credentialStoreContract(async () => ({
  open,
  others: () => open('other'),
  close: async () => undefined,
}));

describe('the credential file', () => {
  it('holds no secret in readable form, and is its owner’s alone', async () => {
    await open().set({ refresh_token: SECRET });
    for (const name of readdirSync(folder)) {
      const path = join(folder, name);
      expect(readFileSync(path, 'utf8')).not.toContain(SECRET);
      expect(readFileSync(path, 'utf8')).not.toContain(Buffer.from(SECRET).toString('base64').slice(0, 20));
      expect(statSync(path).mode & 0o077).toBe(0);
    }
  });

  it('says once where the credentials are: when it is made', async () => {
    const first = open();
    expect(first.notice).toContain(file());
    await first.set({ refresh_token: SECRET });
    expect(open().notice).toBeUndefined();
  });

  it('keeps profiles apart: the file of one does not open as another’s', async () => {
    await open().set({ refresh_token: SECRET });
    await open('other').set({ session: 'x' });
    writeFileSync(join(folder, 'credentials-other.json'), readFileSync(file()));
    writeFileSync(join(folder, 'credentials-other.key'), readFileSync(keyFile()));
    await expect(open('other').get(['refresh_token'])).rejects.toMatchObject({
      code: 'credential_store_unavailable',
    });
  });

  it.each([
    ['cut short', (text: string) => text.slice(0, 40)],
    ['empty', () => ''],
    [
      'changed in one byte',
      (text: string) => text.replace(/"data":"(.)/, (_, c) => `"data":"${c === 'A' ? 'B' : 'A'}`),
    ],
    ['of a later version', (text: string) => text.replace('"version":1', '"version":2')],
  ])('that is %s is reported and never overwritten', async (_, damage) => {
    await open().set({ refresh_token: SECRET });
    const damaged = damage(readFileSync(file(), 'utf8'));
    writeFileSync(file(), damaged);
    const refusal = { code: 'credential_store_unavailable', message: expect.stringContaining(file()) };
    await expect(open().get(['refresh_token'])).rejects.toMatchObject(refusal);
    await expect(open().set({ refresh_token: 'new' })).rejects.toMatchObject(refusal);
    await expect(open().delete(['refresh_token'])).rejects.toMatchObject(refusal);
    await expect(open().probe()).rejects.toMatchObject(refusal);
    expect(readFileSync(file(), 'utf8')).toBe(damaged);
  });

  it('that has lost its key is reported and never overwritten', async () => {
    await open().set({ refresh_token: SECRET });
    const before = readFileSync(file(), 'utf8');
    rmSync(keyFile());
    await expect(open().set({ refresh_token: 'new' })).rejects.toMatchObject({
      code: 'credential_store_unavailable',
      message: expect.stringContaining('is missing'),
    });
    expect(readFileSync(file(), 'utf8')).toBe(before);
    expect(existsSync(keyFile())).toBe(false);
  });
});

describe('credentials read ahead', () => {
  it('are served without another read, but fresh when asked', async () => {
    const store = open();
    await store.set({ refresh_token: 'old' });
    const ahead = await prefetchCredentials(store, ['refresh_token', 'session']);
    await open().set({ refresh_token: 'new' });
    expect((await ahead.get(['refresh_token'])).refresh_token).toBe('old');
    expect((await ahead.get(['refresh_token'], { fresh: true })).refresh_token).toBe('new');
    expect((await ahead.get(['refresh_token'])).refresh_token).toBe('new');
  });

  it('show what this process wrote and removed', async () => {
    const ahead = await prefetchCredentials(open(), ['refresh_token']);
    await ahead.set({ refresh_token: 'mine' });
    expect((await ahead.get(['refresh_token'])).refresh_token).toBe('mine');
    await ahead.delete(['refresh_token']);
    expect((await ahead.get(['refresh_token'])).refresh_token).toBeUndefined();
  });
});
