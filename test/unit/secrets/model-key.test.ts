import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openFileStore } from '../../../src/secrets/file/file-store.ts';
import { loadModelKey, storeModelKey } from '../../../src/secrets/model-key.ts';

function newStore() {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-model-key-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return openFileStore({ folder, profile: 'work' });
}

it('a model’s key is given for the server it was kept for, and for no other', async () => {
  const store = newStore();
  await storeModelKey(store, 'https://api.openai.com/v1', 'sk-planted');
  expect(await loadModelKey(store, 'https://api.openai.com/v1')).toBe('sk-planted');
  expect(await loadModelKey(store, 'https://evil.example/v1')).toBeUndefined();
});

it.each(['', 'two words', 'a\nb', 'ünïcode', 'x'.repeat(513)])(
  '%j is no API key, and leaves the one that is kept',
  async (text) => {
    const store = newStore();
    await storeModelKey(store, 'https://a.example/v1', 'sk-planted');
    await expect(storeModelKey(store, 'https://a.example/v1', text)).rejects.toMatchObject({ code: 'usage' });
    expect(await loadModelKey(store, 'https://a.example/v1')).toBe('sk-planted');
  },
);
