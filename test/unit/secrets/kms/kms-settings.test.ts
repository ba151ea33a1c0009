import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { addWrappingKey } from '../../../../src/secrets/kms/file-kms.ts';
import { kmsSettingsSchema, openKms } from '../../../../src/secrets/kms/kms-settings.ts';

const vault = { url: 'https://vault.example.com', key: 'gateway', token_file: 'vault-token' };
const aws = { key: 'alias/gateway', region: 'eu-central-1' };

describe('the settings of a key management service', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'trade-agent-kms-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it.each([
    ['none', {}, 'one of file, vault and aws'],
    ['two', { file: 'keys', aws }, 'one of file, vault and aws'],
    ['another', { gcp: {} }, 'gcp'],
    ['a Vault without TLS', { vault: { ...vault, url: 'http://vault.example.com' } }, 'https'],
    ['a Vault’s token itself', { vault: { ...vault, token: 'hvs.x' } }, 'token'],
    ['no region', { aws: { ...aws, region: 'Frankfurt' } }, 'region'],
  ])('name one: %s is refused', (_, settings, why) => {
    expect(kmsSettingsSchema.safeParse(settings).error?.message).toContain(why);
  });

  it('have file names begin at the folder', async () => {
    await addWrappingKey(join(folder, 'wrapping-keys.json'));
    const kms = await openKms(kmsSettingsSchema.parse({ file: 'wrapping-keys.json' }), { folder, env: {} });
    expect(await kms.unwrap(await kms.wrap(Buffer.alloc(32, 7), 'c'), 'c')).toEqual(Buffer.alloc(32, 7));
    const vaulted = await openKms(kmsSettingsSchema.parse({ vault }), { folder, env: {} });
    await expect(vaulted.wrap(Buffer.alloc(32), 'c')).rejects.toMatchObject({
      message: expect.stringContaining(join(folder, 'vault-token')),
    });
  });

  it('open AWS’s by the environment', async () => {
    const asked: string[] = [];
    const fetch = async (url: URL | Request | string) => {
      asked.push(`${url}`);
      return Response.json({ CiphertextBlob: 'AAAA', KeyId: 'arn:aws:kms:eu-central-1:1:key/a' });
    };
    const env = { AWS_ACCESS_KEY_ID: 'AKIA', AWS_SECRET_ACCESS_KEY: 'x' };
    const kms = await openKms(kmsSettingsSchema.parse({ aws }), { folder, env, fetch });
    await kms.wrap(Buffer.alloc(32), 'c');
    expect(asked).toEqual(['https://kms.eu-central-1.amazonaws.com/']);
  });
});
