import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
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

it('a folder that other users can write to is rejected, with whatever they planted in it', async () => {
  writeFileSync(join(folder, 'pairing-secret'), 'planted', { mode: 0o600 });
  chmodSync(folder, 0o777);
  await expect(openSandboxHome(folder)).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringMatching(/other users/),
  });
  expect(readdirSync(folder)).toEqual(['pairing-secret']);
});

it.each(['pairing-secret', 'seed.json'])('a %s that other users could have written is rejected', async (name) => {
  await seedOf();
  const file = join(folder, name);
  chmodSync(file, 0o666);
  await expect(openSandboxHome(folder)).rejects.toMatchObject({ code: 'usage', message: expect.stringMatching(name) });
  chmodSync(file, 0o600);
  renameSync(file, join(folder, 'elsewhere'));
  symlinkSync(join(folder, 'elsewhere'), file);
  await expect(openSandboxHome(folder)).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringMatching(/symbolic link/),
  });
});
