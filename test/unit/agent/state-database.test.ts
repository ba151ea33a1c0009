import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { newHolder } from '../../../src/agent/holder.ts';
import { openStateDatabase } from '../../../src/agent/state-database.ts';
import { openStores, temporaryFolder } from './approval-fixture.ts';
import { VirtualClock } from './virtual-clock.ts';

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
  ])('refuses %s and leaves the file alone', (_, damage) => {
    const { file, key, database } = filled();
    database.pragma('wal_checkpoint(TRUNCATE)');
    database.close();
    damage(file);
    const before = readFileSync(file);
    expect(() => openStateDatabase(file, key)).toThrow(corrupt);
    expect(readFileSync(file).equals(before)).toBe(true);
  });

  it('refuses a newer version’s file', () => {
    const { file, key, database } = filled();
    database.pragma('user_version = 99');
    database.close();
    expect(() => openStateDatabase(file, key)).toThrow(
      expect.objectContaining({ code: 'state_corrupt', message: expect.stringContaining('newer') }),
    );
  });
});

describe('a thread’s lease', () => {
  it('is held by one run, also within one process, until it is released', () => {
    const { threads } = openStores(new VirtualClock());
    const lease = threads.lease('t1', newHolder());
    expect(() => threads.lease('t1', newHolder())).toThrow(expect.objectContaining({ code: 'busy' }));
    lease.release();
    threads.lease('t1', newHolder()).release();
  });

  it('runs out, and then cannot be renewed by its old holder', () => {
    const clock = new VirtualClock();
    const { threads } = openStores(clock);
    const lease = threads.lease('t1', 'elsewhere|1|a');
    clock.advance(20_000);
    expect(lease.renew()).toBe(true);
    clock.advance(29_000);
    expect(() => threads.lease('t1', 'elsewhere|2|b')).toThrow(expect.objectContaining({ code: 'busy' }));
    clock.advance(2_000);
    threads.lease('t1', 'elsewhere|2|b');
    expect(lease.renew()).toBe(false);
  });

  it('of a dead process on this machine can be taken at once', () => {
    const { threads } = openStores(new VirtualClock());
    const { pid } = spawnSync(process.execPath, ['-e', '0']);
    threads.lease('t1', newHolder().replace(String(process.pid), String(pid)));
    threads.lease('t1', newHolder());
  });
});
