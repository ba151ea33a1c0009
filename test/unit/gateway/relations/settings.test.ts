import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readRelationsOptions, relationsSchema } from '../../../../src/gateway/relations/relations-settings.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-relations-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true });
  delete process.env.FGA_KEY_OF_THE_TEST;
});

const openfga = {
  kind: 'openfga',
  url: 'http://127.0.0.1:8080/',
  store: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
  model: '01BX5ZZKBKACTAV9WEVGEMMVRZ',
};
const keep = (name: string, text: string, mode = 0o600) => writeFileSync(join(folder, name), text, { mode });
const read = (settings: unknown) => readRelationsOptions(relationsSchema.parse(settings), folder);

describe('relations in gateway.yaml', () => {
  it('are the gateway’s own where nothing else is named', () => {
    expect(read({ kind: 'embedded' })).toEqual({ kind: 'embedded' });
  });

  it('have a key from a file of the gateway’s folder', () => {
    keep('fga.key', 'the-key\n');
    expect(read({ ...openfga, key_file: 'fga.key' })).toEqual({
      ...openfga,
      url: 'http://127.0.0.1:8080',
      secret: { key: 'the-key' },
    });
  });

  it('have a key from the environment, or none', () => {
    process.env.FGA_KEY_OF_THE_TEST = 'the-key';
    const authzen = { kind: 'authzen', url: 'https://pdp.example' };
    expect(read({ ...authzen, key_env: 'FGA_KEY_OF_THE_TEST' })).toMatchObject({
      secret: { key: 'the-key' },
    });
    expect(read(authzen)).toMatchObject({ secret: { key: undefined } });
  });

  it('have client credentials for Auth0 FGA, its audience with a slash', () => {
    keep('fga.secret', 'the-secret');
    const url = 'https://api.us1.fga.dev';
    const client_credentials = { client_id: 'c', client_secret_file: 'fga.secret' };
    expect(read({ ...openfga, url, client_credentials })).toMatchObject({
      secret: {
        tokenUrl: 'https://auth.fga.dev/oauth/token',
        clientSecret: 'the-secret',
        audience: 'https://api.us1.fga.dev/',
      },
    });
  });

  it.each<[string, () => object]>([
    ['that is not there', () => ({ key_file: 'none' })],
    [
      'that others may read',
      () => {
        keep('open.key', 'the-key', 0o644);
        return { key_file: 'open.key' };
      },
    ],
    [
      'that is empty',
      () => {
        keep('empty.key', '\n');
        return { key_file: 'empty.key' };
      },
    ],
    ['of a variable that is not set', () => ({ key_env: 'FGA_KEY_OF_THE_TEST' })],
  ])('with a key %s are refused at start', (_, more) => {
    expect(() => read({ ...openfga, ...more() })).toThrow(
      expect.objectContaining({ code: 'invalid_config', message: expect.not.stringContaining('the-key') }),
    );
  });

  it.each<[string, object]>([
    ['in the clear over the network', { ...openfga, url: 'http://fga.example' }],
    ['of no model', { kind: 'openfga', url: openfga.url, store: openfga.store }],
    ['of a store by its name', { ...openfga, store: 'my store' }],
    ['with a key and another', { ...openfga, key_file: 'a', key_env: 'B' }],
    ['with the key itself', { ...openfga, key: 'the-key' }],
    ['of another kind', { ...openfga, kind: 'spicedb' }],
  ])('%s are none', (_, settings) => {
    expect(relationsSchema.safeParse(settings).success).toBe(false);
  });
});
