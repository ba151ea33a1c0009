import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { loadTemporal } from '../../../../src/jobs/temporal/temporal-sdk.ts';
import {
  readTemporalConnectionOptions,
  temporalSettingsSchema,
} from '../../../../src/jobs/temporal/temporal-settings.ts';

describe('where Temporal is', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'ta-temporal-settings-'));
    writeFileSync(join(folder, 'key'), ' the-api-key\n', { mode: 0o600 });
    writeFileSync(join(folder, 'shared'), 'the-api-key', { mode: 0o644 });
    writeFileSync(join(folder, 'ca.pem'), 'the ca');
    writeFileSync(join(folder, 'cert.pem'), 'the certificate');
  });
  const options = (settings: object) => readTemporalConnectionOptions(temporalSettingsSchema.parse(settings), folder);

  it('is this machine unless it is said, without TLS; beyond it, with TLS', () => {
    expect(options({})).toEqual({ address: '127.0.0.1:7233', tls: false });
    expect(options({ address: '[::1]:7233' }).tls).toBe(false);
    for (const address of ['temporal.example:7233', '10.0.0.1:7233', '0.0.0.0:7233'])
      expect(options({ address })).toEqual({ address, tls: true });
  });

  it('is shown a key or a certificate that files hold', () => {
    const address = 'x.tmprl.cloud:7233';
    expect(options({ address, api_key_file: 'key' })).toEqual({ address, tls: true, apiKey: 'the-api-key' });
    const files = { ca_file: 'ca.pem', cert_file: 'cert.pem', key_file: 'key', server_name: 'temporal' };
    expect(options({ address, tls: files })).toEqual({
      address,
      tls: {
        serverRootCACertificate: Buffer.from('the ca'),
        serverNameOverride: 'temporal',
        clientCertPair: { crt: Buffer.from('the certificate'), key: Buffer.from(' the-api-key\n') },
      },
    });
  });

  it.each([
    ['an address without a port', { address: 'temporal.example' }],
    ['an address with a scheme', { address: 'https://temporal.example:7233' }],
    ['an API key in clear', { api_key_file: 'key' }],
    ['a certificate without its key', { tls: { cert_file: 'cert.pem' } }],
    ['the key itself', { api_key: 'the-api-key' }],
  ])('is not %s', (_, settings) => {
    expect(temporalSettingsSchema.safeParse(settings).success).toBe(false);
  });

  it.each([
    ['is not there', { api_key_file: 'nowhere' }],
    ['others may read', { api_key_file: 'shared' }],
    ['is not there either', { tls: { ca_file: 'nowhere' } }],
  ])('is not asked with a file that %s', (_, settings) => {
    const asked = () => options({ address: 'temporal.example:7233', ...settings });
    expect(asked).toThrow(expect.objectContaining({ code: 'invalid_config' }));
    expect(asked).not.toThrow('the-api-key');
  });
});

// The libraries are no dependency of this program; the tests that have them are run by `npm run test:temporal`.
it.skipIf(process.env.NODE_PATH)('without Temporal’s libraries it is said how they are installed', () => {
  expect(() => loadTemporal(() => undefined)).toThrow(
    expect.objectContaining({
      code: 'invalid_config',
      hint: expect.stringContaining('npm install @temporalio/worker@'),
    }),
  );
});
