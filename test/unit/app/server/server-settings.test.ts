import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { readServerSettings } from '../../../../src/app/server/server-places.ts';

const folder = mkdtempSync(join(tmpdir(), 'trade-agent-server-settings-'));
afterAll(() => rmSync(folder, { recursive: true }));

const needed = `address: https://agents.example
issuer: https://id.example
client_id: server
gateway: https://gateway.example
database: {url_file: database-url, tenant: acme}
kms: {file: wrapping-keys.json}
`;
const read = async (text: string) => {
  const file = join(folder, 'server.yaml');
  writeFileSync(file, text);
  return await readServerSettings(file);
};

it('server.yaml needs six settings', async () => {
  expect(await read(needed)).toMatchObject({ client_id: 'server', environment: 'paper' });
});

it('an engine for jobs can’t be set: it is refused with its line and the settings that there are', async () => {
  await expect(read(`${needed}jobs:\n  temporal: {}\n`)).rejects.toMatchObject({
    code: 'invalid_config',
    message: expect.stringContaining('server.yaml:7: unknown key "jobs"'),
    hint: expect.stringContaining('Valid keys here are address, issuer, '),
  });
});
