import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Ajv } from 'ajv';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openVaultKms } from '../../../src/secrets/kms/vault-kms.ts';
import { kmsContract } from '../../contract/secrets/kms.ts';
import { examples, transit } from '../../contract/vault/schemas.ts';
import { startVault } from './vault-stand-in.ts';

const TOKEN = 'hvs.planted-token-7d31';

async function openedVault() {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-vault-'));
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, `${TOKEN}\n`, { mode: 0o600 });
  const vault = await startVault({ token: TOKEN, key: 'trade-agent' });
  const options = { url: vault.url, key: 'trade-agent', tokenFile };
  const close = async () => {
    await vault.close();
    rmSync(folder, { recursive: true });
  };
  return { vault, tokenFile, options, kms: openVaultKms(options), close };
}

kmsContract(async () => {
  const { vault, kms, close } = await openedVault();
  return {
    kms,
    rotate: async () => {
      vault.rotate();
    },
    async close() {
      await close();
      expect(vault.wrong()).toEqual([]);
    },
  };
});

it.each(['encrypt', 'decrypt'] as const)('the documentation’s own example of %s is as our schema says', (name) => {
  const ajv = new Ajv();
  for (const part of ['request', 'answer'] as const)
    expect(ajv.validate(transit[name][part], examples[name][part]), ajv.errorsText()).toBe(true);
});

describe('Vault as a key management service', () => {
  let opened: Awaited<ReturnType<typeof openedVault>>;
  beforeEach(async () => {
    opened = await openedVault();
  });
  afterEach(() => opened.close());

  const key = Buffer.alloc(32, 7);
  const failed = async (use: Promise<unknown>) => {
    const error = await use.catch((thrown: Error) => thrown);
    const text = JSON.stringify(error, Object.getOwnPropertyNames(error ?? {}));
    for (const secret of [TOKEN, key.toString('base64')]) expect(text).not.toContain(secret);
    return error;
  };

  it('sends the token as Vault wants it, and the namespace where there is one', async () => {
    const { vault, options } = opened;
    await openVaultKms({ ...options, namespace: 'team/trading' }).wrap(key, 'c');
    const [request] = vault.requests;
    expect(request?.path).toBe('/v1/transit/encrypt/trade-agent');
    expect(Object.fromEntries(request?.headers ?? [])).toMatchObject({
      'x-vault-token': TOKEN,
      'x-vault-namespace': 'team/trading',
      'x-vault-request': 'true',
    });
  });

  it('takes a token that was renewed in its file', async () => {
    const { vault, kms, tokenFile } = opened;
    vault.state.token = 'hvs.next';
    expect(await failed(kms.wrap(key, 'c'))).toMatchObject({
      hint: expect.stringContaining('token has expired'),
    });
    writeFileSync(tokenFile, 'hvs.next');
    await kms.wrap(key, 'c');
  });

  it.each([
    ['sealed', { code: 'credential_store_locked', message: expect.stringContaining('sealed') }],
    ['another key', { code: 'credential_store_unavailable', message: expect.stringContaining('status 400') }],
  ])('that is %s is told', async (what, refusal) => {
    const { vault, options } = opened;
    vault.state.sealed = what === 'sealed';
    const kms = openVaultKms({ ...options, key: what === 'another key' ? 'other' : 'trade-agent' });
    expect(await failed(kms.wrap(key, 'c'))).toMatchObject(refusal);
  });

  it.each([
    ['no JSON', () => new Response('<html>', { headers: { 'content-type': 'application/json' } })],
    ['no data', () => Response.json({ errors: [] })],
    ['what is no ciphertext of its own', () => Response.json({ data: { ciphertext: key.toString('base64') } })],
    ['more than any answer has', () => new Response('x'.repeat(65 * 1024))],
    ['a redirect', () => new Response(null, { status: 307, headers: { location: 'http://127.0.0.1:9/' } })],
  ])('that answers %s is told, once', async (_, answer) => {
    const { vault, kms } = opened;
    vault.state.answer = answer;
    expect(await failed(kms.wrap(key, 'c'))).toMatchObject({
      code: 'credential_store_unavailable',
      message: expect.stringMatching(/returned an invalid response$/),
    });
    expect(vault.requests).toHaveLength(1);
  });

  it('that does not answer in time is told', async () => {
    const { vault, options } = opened;
    vault.state.answer = () => new Response(new ReadableStream());
    expect(await failed(openVaultKms({ ...options, timeoutMs: 100 }).wrap(key, 'c'))).toMatchObject({
      code: 'credential_store_unavailable',
      message: expect.stringMatching(/took longer than 100 ms$/),
    });
  });

  it('that is gone is told', async () => {
    const { options, close } = await openedVault();
    const kms = openVaultKms({ ...options, tokenFile: opened.tokenFile });
    await close();
    expect(await failed(kms.wrap(key, 'c'))).toMatchObject({ code: 'credential_store_unavailable' });
  });

  it('has its token in no file that others may read, and goes nowhere without TLS', async () => {
    const { vault, options, tokenFile } = opened;
    rmSync(tokenFile);
    writeFileSync(tokenFile, TOKEN, { mode: 0o644 });
    expect(await failed(openVaultKms(options).wrap(key, 'c'))).toMatchObject({
      message: expect.stringContaining('other users can read'),
    });
    expect(() => openVaultKms({ ...options, url: 'http://vault.example.com' })).toThrow('not an https address');
    expect(vault.requests).toHaveLength(0);
  });
});
