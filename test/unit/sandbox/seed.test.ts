import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openSandboxHome, type SandboxSeed } from '../../../src/sandbox/sandbox-home.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'trade-agent-seed-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const written = () => JSON.parse(readFileSync(join(folder, 'seed.json'), 'utf8')) as SandboxSeed;
async function seedOf(): Promise<SandboxSeed> {
  const home = await openSandboxHome(folder);
  home.release();
  return home.seed;
}

it('each person has a key pair of their own at the paper broker, found in seed.json', async () => {
  const { users } = await seedOf();
  expect(written().users.map(({ broker_key }) => broker_key)).toEqual(users.map(({ broker_key }) => broker_key));
  for (const { broker_key } of users) {
    expect(broker_key).toEqual({
      key_id: expect.stringMatching(/^PK[0-9A-F]{18}$/),
      secret: expect.stringMatching(/^[\w-]{40}$/),
    });
  }
  expect(new Set(users.map(({ broker_key }) => broker_key.secret)).size).toBe(users.length);
});
