import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { backupHome } from '../../../src/app/home/backup.ts';
import { homeFiles } from '../../../src/app/home/home-files.ts';
import { withHome } from '../../../src/app/home/open-home.ts';
import { restoreHome } from '../../../src/app/home/restore.ts';
import { openArchive } from '../../../src/app/home/sealed-archive.ts';
import { verifyAuditFile } from '../../../src/approval/audit-chain.ts';
import { sqliteGatewayStores } from '../../../src/store/sqlite/gateway-stores.ts';
import { app, type HomeGround, homeGround } from './home-folder.ts';

const passphrase = 'amber bison cedar delta';

let ground: HomeGround;
beforeAll(async () => {
  ground = await homeGround();
  await ground.make();
});
afterAll(() => ground.close());

const recordOf = (folder: string) =>
  withHome(app, folder, ({ stores }) => verifyAuditFile(homeFiles(folder).record, stores.audit));

it('is of one moment while its record grows: restored, the record is whole, and ends where its database does', async () => {
  const { folder, place } = ground;
  const database = new Database(homeFiles(folder).gatewayDatabase);
  const { halts, audit } = sqliteGatewayStores(database);
  let writing = true;
  let written = 0;
  const writer = (async () => {
    for (; writing; written++) {
      const since = await halts.halt('alice', 'test', Date.now());
      await audit.moveToFile(homeFiles(folder).record);
      await halts.lift('alice', since, Date.now());
      if (written % 3 === 0) await audit.moveToFile(homeFiles(folder).record);
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const files = ['a', 'b', 'c'].map((name) => join(place, `${name}.backup`));
  for (const file of files) await backupHome(app, { folder, file, passphrase });
  writing = false;
  await writer;
  database.close();

  const lines: number[] = [];
  for (const file of files) {
    const again = `${file}.home`;
    await restoreHome(app, { folder: again, file, passphrase });
    const verdict = await recordOf(again);
    expect(verdict).toMatchObject({ ok: true });
    lines.push(verdict.ok ? verdict.lines : 0);
  }
  expect(lines).toEqual([...lines].sort((a, b) => a - b));
  expect(lines.at(-1)).toBeGreaterThan(lines[0] ?? 0);
  expect(await recordOf(folder)).toMatchObject({ ok: true });
}, 60_000);

it('has everything but what only says that it runs, and no key of the broker in the open', async () => {
  const { folder, place, pair } = ground;
  writeFileSync(homeFiles(folder).ready, '{}');
  const file = join(place, 'whole.backup');
  const { files } = await backupHome(app, { folder, file, passphrase });
  expect(files).toEqual(
    expect.arrayContaining([
      'gateway.db',
      'provider.db',
      'home.yaml',
      'gateway.yaml',
      'limits.yaml',
      'key.json',
      'seal.key',
      'audit.jsonl',
    ]),
  );
  expect(files.filter((name) => /ready|lock|-wal|-shm/.test(name))).toEqual([]);
  const archive = await openArchive(readFileSync(file), passphrase, file);
  for (const content of archive.files.values()) expect(content.toString('latin1')).not.toContain(pair.secret);
});

it('a file that was put there first is never written over', async () => {
  const file = join(ground.place, 'mine.backup');
  writeFileSync(file, 'mine');
  await expect(backupHome(app, { folder: ground.folder, file, passphrase })).rejects.toThrow(
    'is there already',
  );
  expect(readFileSync(file, 'utf8')).toBe('mine');
});
