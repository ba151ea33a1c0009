import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import { openFileStore } from '../../../../src/secrets/file/file-store.ts';
import {
  createMcpCredentialStore,
  eraseMcpCredentials,
  mcpCredentialFilePath,
} from '../../../../src/secrets/places/mcp-credentials.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mcp-credentials-'));
  return () => rmSync(folder, { recursive: true });
});
const store = (profile = 'work') => openFileStore({ folder, profile });
const opened = (profile = 'work') => createMcpCredentialStore(store(profile), folder, profile);
/** Longer than any keychain takes. */
const token = 'PLANTED-TOKEN'.repeat(1_000);

it('keeps what is too long for a keychain, sealed', async () => {
  await opened().change((values) => {
    values.token = token;
  });
  expect(await opened().read()).toEqual({ token });
  expect(readFileSync(mcpCredentialFilePath(folder, 'work'), 'utf8')).not.toContain('PLANTED');
});

it('loses nothing where two processes write at once, and makes one key', async () => {
  await Promise.all(
    ['a', 'b', 'c', 'd'].map((name) =>
      opened().change((values) => {
        values[name] = name;
      }),
    ),
  );
  expect(await opened().read()).toEqual({ a: 'a', b: 'b', c: 'c', d: 'd' });
});

it('is not another profile’s', async () => {
  await opened().change((values) => {
    values.token = token;
  });
  await opened('other').change((values) => {
    values.token = 'other';
  });
  writeFileSync(mcpCredentialFilePath(folder, 'other'), readFileSync(mcpCredentialFilePath(folder, 'work')), {
    mode: 0o600,
  });
  await expect(opened('other').read()).rejects.toMatchObject({ code: 'credential_store_unavailable' });
});

it('says so where its key is gone, and takes nothing for empty', async () => {
  await opened().change((values) => {
    values.token = token;
  });
  await store().delete(['mcp_key']);
  const failure = await opened()
    .read()
    .catch((error: Error) => error);
  expect(failure).toMatchObject({
    code: 'credential_store_unavailable',
    message: expect.stringContaining('its key is not in the credential store'),
  });
  await expect(
    opened().change((values) => {
      values.token = 'new';
    }),
  ).rejects.toMatchObject({ code: 'credential_store_unavailable' });
});

it('is gone with its key once it is erased', async () => {
  await opened().change((values) => {
    values.token = token;
  });
  await eraseMcpCredentials(store(), folder, 'work');
  expect(existsSync(mcpCredentialFilePath(folder, 'work'))).toBe(false);
  expect(await store().get(['mcp_key'])).toEqual({ mcp_key: undefined });
  expect(await opened().read()).toEqual({});
});
