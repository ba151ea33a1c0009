import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  copyFileSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createHolderId, THREAD_LEASE_MS } from '../../../../src/agent/run/threads.ts';
import {
  closeStateDatabase,
  isUnchangedSinceClose,
  openStateDatabase,
  reclaimSpace,
  recordCleanClose,
  STATE_SCHEMA_VERSION,
} from '../../../../src/store/sqlite/state-database.ts';
import { VirtualClock } from '../../../virtual-clock.ts';
import { openStores, temporaryFolder } from '../../agent/state-fixture.ts';

const corrupt = expect.objectContaining({ code: 'state_corrupt' });

function filled() {
  const file = join(temporaryFolder(), 'state.db');
  const key = randomBytes(32);
  const database = openStateDatabase(file, key);
  database
    .prepare('INSERT INTO threads (id, profile, title, created_at, updated_at) VALUES (?, ?, ?, 0, 0)')
    .run('t1', 'p', 'PLANTED TITLE');
  return { file, key, database };
}

describe('the state database', () => {
  it('is encrypted, private, and written through to the disk', () => {
    const { file, database } = filled();
    expect(database.pragma('journal_mode', { simple: true })).toBe('wal');
    expect(database.pragma('synchronous', { simple: true })).toBe(2);
    for (const name of [file, `${file}-wal`]) {
      expect(readFileSync(name).includes('PLANTED')).toBe(false);
      expect(readFileSync(name).includes('SQLite format')).toBe(false);
      expect(statSync(name).mode & 0o077).toBe(0);
    }
    database.close();
  });

  it('opens again with its key', () => {
    const { file, key, database } = filled();
    database.close();
    const again = openStateDatabase(file, key);
    expect(again.prepare('SELECT title FROM threads').pluck().get()).toBe('PLANTED TITLE');
    again.close();
  });

  it('refuses another key and leaves the file alone', () => {
    const { file, database } = filled();
    database.close();
    const before = readFileSync(file);
    expect(() => openStateDatabase(file, randomBytes(32))).toThrow(corrupt);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it.each([
    ['garbage', (file: string) => writeFileSync(file, randomBytes(9000))],
    ['text', (file: string) => writeFileSync(file, 'not a database')],
    ['a torn page', (file: string) => truncateSync(file, 1000)],
    ['half a file', (file: string) => truncateSync(file, Math.floor(statSync(file).size / 8192) * 4096)],
    ['a file without its last page', (file: string) => truncateSync(file, statSync(file).size - 4096)],
    ['an empty file', (file: string) => truncateSync(file, 0)],
    ['one changed byte in its last page', (file: string) => flipByte(file, statSync(file).size - 2000)],
    ['one changed byte in its first page', (file: string) => flipByte(file, 200)],
  ])('refuses %s and leaves the file alone', (_, damage) => {
    const { file, key, database } = filled();
    database.pragma('wal_checkpoint(TRUNCATE)');
    database.close();
    damage(file);
    const before = readFileSync(file);
    expect(() => openStateDatabase(file, key)).toThrow(corrupt);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it.each([
    ['a byte, and set its time back', flipOldByte],
    ['the file, for a copy of its age', replaceByCopy],
    ['its log', (file: string) => writeFileSync(`${file}-wal`, '')],
  ])('is not as it was closed once somebody changed %s', (_, change) => {
    const { file, database } = filled();
    expect(isUnchangedSinceClose(file)).toBe(false);
    closeStateDatabase(database);
    expect(isUnchangedSinceClose(file)).toBe(true);
    utimesSync(file, 1, 1);
    expect(isUnchangedSinceClose(file)).toBe(false);
    recordCleanClose(file);
    expect(isUnchangedSinceClose(file)).toBe(true);
    change(file);
    expect(isUnchangedSinceClose(file)).toBe(false);
  });

  it('is read through unless it is as it was closed; a damaged page is refused when it is used all the same', () => {
    const { file, key, database } = filled();
    database.prepare(`INSERT INTO messages VALUES ('t1', 'h', 'json', ?)`).run(randomBytes(80_000));
    closeStateDatabase(database);
    // Within the message's body, which fills the pages near the end.
    flipByte(file, statSync(file).size - 20_000);
    expect(() => openStateDatabase(file, key)).toThrow(corrupt);
    recordCleanClose(file);
    const again = openStateDatabase(file, key);
    expect(again.prepare('SELECT title FROM threads').pluck().get()).toBe('PLANTED TITLE');
    const read = () => again.prepare('SELECT body FROM messages').all();
    expect(read).toThrow(expect.objectContaining({ code: 'SQLITE_CORRUPT' }));
    again.close();
  });

  it('refuses a newer version’s file', () => {
    const { file, key, database } = filled();
    database.pragma('user_version = 99');
    database.pragma('wal_checkpoint(TRUNCATE)');
    database.close();
    const before = readFileSync(file);
    expect(() => openStateDatabase(file, key)).toThrow(
      expect.objectContaining({ code: 'state_corrupt', message: expect.stringContaining('newer') }),
    );
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it('appears at its place whole, also where many processes make it at once', async () => {
    const file = join(temporaryFolder(), 'state.db');
    const key = randomBytes(32);
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, ['--input-type=module', '-e', OPEN_AND_WRITE, '--', file, key.toString('hex')], {
        stdio: ['ignore', 'ignore', 'inherit'],
      }),
    );
    expect(await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0]))).toEqual([0, 0, 0, 0]);
    const database = openStateDatabase(file, key);
    expect(database.prepare('SELECT count(*) FROM threads').pluck().get()).toBe(4);
    expect(database.pragma('user_version', { simple: true })).toBe(STATE_SCHEMA_VERSION);
    expect(statSync(file).mode & 0o077).toBe(0);
    database.close();
    expect(readdirSync(dirname(file))).toEqual(['state.db']);
  });

  it('gives the space of what was deleted back to the disk', () => {
    const { file, database } = filled();
    const insert = database.prepare(`INSERT INTO messages VALUES ('t1', ?, 'json', ?)`);
    for (let i = 0; i < 250; i++) insert.run(String(i), randomBytes(4096));
    database.pragma('wal_checkpoint(TRUNCATE)');
    const full = statSync(file).size;
    expect(full).toBeGreaterThan(1_000_000);
    database.exec('DELETE FROM messages');
    reclaimSpace(database);
    expect(statSync(file).size).toBeLessThan(full / 5);
    database.close();
  });
});

/** What a process does that is the first to need the file, or not. */
const OPEN_AND_WRITE = `
  const { openStateDatabase } = await import('${new URL('../../../../src/store/sqlite/state-database.ts', import.meta.url).href}');
  const [file, key] = process.argv.slice(1);
  const database = openStateDatabase(file, Buffer.from(key, 'hex'));
  database
    .prepare('INSERT INTO threads (id, profile, title, created_at, updated_at) VALUES (?, ?, ?, 0, 0)')
    .run(String(process.pid), 'p', 't');
  database.close();
`;

function replaceByCopy(file: string): void {
  copyFileSync(file, `${file}2`);
  utimesSync(`${file}2`, 1, 1);
  renameSync(`${file}2`, file);
}

function flipOldByte(file: string): void {
  flipByte(file, statSync(file).size - 2000);
  utimesSync(file, 1, 1);
}

function flipByte(file: string, at: number): void {
  const bytes = readFileSync(file);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(file, bytes);
}

describe('a thread’s lease', () => {
  const busy = expect.objectContaining({ code: 'busy' });

  it('is held by one run, also within one process, until it is given back', async () => {
    const { threads, take } = await openStores(new VirtualClock());
    const lease = await take('t1', createHolderId());
    await expect(take('t1', createHolderId())).rejects.toEqual(busy);
    await threads.end(lease, undefined, 0);
    await take('t1', createHolderId());
  });

  it('runs out, and then cannot be renewed by its old holder', async () => {
    const clock = new VirtualClock();
    const { threads, take } = await openStores(clock);
    const lease = await take('t1', 'elsewhere|1|a');
    const renew = () => threads.renew('elsewhere|1|a', ['t1'], clock.now() + THREAD_LEASE_MS);
    clock.advance(20_000);
    expect(await renew()).toEqual(['t1']);
    clock.advance(29_000);
    await expect(take('t1', 'elsewhere|2|b')).rejects.toEqual(busy);
    clock.advance(2_000);
    await take('t1', 'elsewhere|2|b');
    expect(await renew()).toEqual([]);
    expect(await threads.isHeld(lease)).toBe(false);
    await threads.end(lease, undefined, clock.now());
    await expect(take('t1', 'elsewhere|3|c')).rejects.toEqual(busy);
  });

  it('of a dead process on this machine can be taken at once', async () => {
    const { take } = await openStores(new VirtualClock());
    const { pid } = spawnSync(process.execPath, ['-e', '0']);
    await take('t1', createHolderId().replace(String(process.pid), String(pid)));
    await take('t1', createHolderId());
  });
});
