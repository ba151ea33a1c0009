import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import Database from 'better-sqlite3-multiple-ciphers';
import { afterAll, expect, it } from 'vitest';
import { readOrCreateSealSecret } from '../../../src/app/gateway/key-file.ts';
import { backupHome, openArchive, restoreHome } from '../../../src/app/home/backup.ts';
import { homeFilePaths } from '../../../src/app/home/home-files.ts';
import { withHome } from '../../../src/app/home/open-home.ts';
import { verifyAuditStores } from '../../../src/approval/audit-verification.ts';
import { createGatewayCheckpointReader } from '../../../src/gateway/record-checkpoints.ts';
import { app, homeGround } from './home-folder.ts';

const passphrase = 'amber bison cedar delta';

const ground = await homeGround();
await ground.make();
afterAll(() => ground.close());

const recordOf = (folder: string) =>
  withHome(app, folder, async ({ stores }) => {
    const sealSecret = readOrCreateSealSecret(folder);
    return await verifyAuditStores(stores, await createGatewayCheckpointReader({ sealSecret }));
  });

it('has everything but what only says that it runs, and no key of the broker in the open', async () => {
  const { folder, place, pair } = ground;
  writeFileSync(homeFilePaths(folder).ready, '{}');
  mkdirSync(join(folder, 'policies'), { mode: 0o700 });
  writeFileSync(join(folder, 'policies/own.cedar'), '// none yet\n', { mode: 0o600 });
  writeFileSync(join(folder, 'policy.lock'), '', { mode: 0o600 });
  const file = join(place, 'whole.backup');
  const { files } = await backupHome(app, { folder, file, passphrase });
  expect(files).toEqual(
    expect.arrayContaining([
      'gateway.db',
      'provider.db',
      'home.yaml',
      'gateway.yaml',
      'limits.yaml',
      'policies/own.cedar',
      'key.json',
      'seal.key',
    ]),
  );
  expect(files.filter((name) => /ready|lock|-wal|-shm/.test(name))).toEqual([]);
  const archive = await openArchive(readFileSync(file), passphrase, file);
  for (const content of archive.files.values()) expect(content.toString('latin1')).not.toContain(pair.secret);
});

it('a file that was put there first is never written over', async () => {
  const file = join(ground.place, 'mine.backup');
  writeFileSync(file, 'mine');
  await expect(backupHome(app, { folder: ground.folder, file, passphrase })).rejects.toThrow('already exists');
  expect(readFileSync(file, 'utf8')).toBe('mine');
});

it('is of one moment while its record grows: restored, the record is whole, and ends where its database does', async () => {
  const { folder, place } = ground;
  const { gatewayDatabase: database, providerDatabase } = homeFilePaths(folder);
  // What is copied takes its time.
  const slow = new Database(providerDatabase);
  slow.exec('CREATE TABLE slow AS SELECT zeroblob(15000000) AS content');
  slow.close();
  const writer = new Worker(new URL('./record-writer.ts', import.meta.url), {
    workerData: { database, seal: readOrCreateSealSecret(folder) },
  });
  const ended = once(writer, 'exit');
  await once(writer, 'message');
  const files = ['a', 'b'].map((name) => join(place, `${name}.backup`));
  for (const file of files) await backupHome(app, { folder, file, passphrase });
  writer.postMessage('end');
  await ended;

  const lines: number[] = [];
  for (const file of files) {
    const again = `${file}.home`;
    await restoreHome(app, { folder: again, file, passphrase });
    expect(readFileSync(join(again, 'policies/own.cedar'), 'utf8')).toBe('// none yet\n');
    const verdict = await recordOf(again);
    expect(verdict).toMatchObject({ ok: true });
    lines.push(verdict.ok ? verdict.lines : 0);
  }
  expect(lines).toEqual([...lines].sort((a, b) => a - b));
  expect(lines.at(-1)).toBeGreaterThan(lines[0] ?? 0);
  expect(await recordOf(folder)).toMatchObject({ ok: true });
}, 60_000);
