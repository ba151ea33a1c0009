import pg from 'pg';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { migrateSchema } from '../../src/store/postgres/migrate.ts';
import { openDatabase } from '../../src/store/postgres/open-database.ts';
import type { Migration } from '../../src/store/postgres/schema.ts';
import { emptyDatabase, migratedDatabase, runSql, withPostgres } from './support/database.ts';
import { things } from './support/things.ts';

withPostgres('a schema', () => {
  let empty: Awaited<ReturnType<typeof emptyDatabase>>;
  beforeEach(async () => {
    empty = await emptyDatabase();
  });
  afterEach(() => empty.drop());
  const older = { ...things, migrations: things.migrations.slice(0, 1) };
  const newer = { ...things, migrations: [...things.migrations, 'CREATE TABLE newer (n integer)'] };
  const open = (address: string, schema = things) => openDatabase({ address, schema, tenant: 'a' });

  it('is brought to its latest version, each step once', async () => {
    expect(await migrateSchema(empty.owner, older)).toEqual({ from: 0, to: 1 });
    expect(await migrateSchema(empty.owner, things)).toEqual({ from: 1, to: 2 });
    expect(await migrateSchema(empty.owner, things)).toEqual({ from: 2, to: 2 });
    const [applied] = await runSql(empty.superuser, `SELECT version FROM ${things.name}.schema_version ORDER BY 1`);
    expect(applied?.rows).toEqual([{ version: 1 }, { version: 2 }]);
  });

  it('by one of many at once', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, () => migrateSchema(empty.owner, things)));
    expect(all.map(({ from }) => from).toSorted()).toEqual([0, 2, 2, 2, 2]);
  });

  it('each step all of it, or nothing', async () => {
    const failing = 'CREATE TABLE t (n integer); SELECT 1 / 0';
    const broken = (...migrations: Migration[]) => migrateSchema(empty.owner, { ...things, migrations });
    await expect(broken(failing)).rejects.toThrow('division by zero');
    const [schemas] = await runSql(empty.superuser, `SELECT FROM pg_namespace WHERE nspname = '${things.name}'`);
    expect(schemas?.rowCount).toBe(0);
    await expect(broken(...things.migrations, failing)).rejects.toThrow('division by zero');
    const [tables] = await runSql(empty.superuser, `SELECT to_regclass('${things.name}.t') AS t`);
    expect(tables?.rows).toEqual([{ t: null }]);
    expect(await migrateSchema(empty.owner, newer)).toEqual({ from: 2, to: 3 });
  });

  it('without locking out who uses it: a table that is in use is tried for again and again', async () => {
    await migrateSchema(empty.owner, things);
    const [reader, other] = [new pg.Client(empty.superuser), new pg.Client(empty.superuser)];
    await Promise.all([reader.connect(), other.connect()]);
    try {
      const read = `SELECT FROM ${things.name}.things`;
      await reader.query(`BEGIN; ${read}`);
      const waiting = `SELECT FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND NOT granted
        AND relation = '${things.name}.things'::regclass`;
      const locked = async () => (await other.query(waiting)).rowCount;
      const migrating = migrateSchema(empty.owner, {
        ...things,
        migrations: [...things.migrations, 'ALTER TABLE things ADD COLUMN more text'],
      });
      await expect.poll(locked).toBe(1);
      // It waits behind the migration's lock, and goes on although the table is still in use.
      await other.query(read);
      await expect.poll(locked).toBe(1);
      await reader.query('COMMIT');
      expect(await migrating).toEqual({ from: 2, to: 3 });
    } finally {
      await Promise.all([reader.end(), other.end()]);
    }
  });

  it('has an index made anew where an interrupted attempt left an invalid one', async () => {
    await migrateSchema(empty.owner, things);
    const step = { index: 'things_by_n', on: 'things (tenant, n)', unique: true };
    const indexed = { ...things, migrations: [...things.migrations, { steps: [step] }] };
    const twins = `INSERT INTO ${things.name}.things (tenant, id, n) VALUES ('a', '1', 1), ('a', '2', 1)`;
    await runSql(empty.superuser, twins);
    await expect(migrateSchema(empty.owner, indexed)).rejects.toThrow('could not create unique index');
    const valid = async () => {
      const found = `SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('${things.name}.things_by_n')`;
      return (await runSql(empty.superuser, found))[0]?.rows;
    };
    expect(await valid()).toEqual([{ indisvalid: false }]);
    await runSql(empty.superuser, `DELETE FROM ${things.name}.things WHERE id = '2'`);
    expect(await migrateSchema(empty.owner, indexed)).toEqual({ from: 2, to: 3 });
    expect(await valid()).toEqual([{ indisvalid: true }]);
  });

  it('is left alone where a newer program made it', async () => {
    await migrateSchema(empty.owner, newer);
    await expect(migrateSchema(empty.owner, things)).rejects.toMatchObject({
      code: 'invalid_config',
      message: 'the database has version 3, but this program supports at most 2',
    });
  });

  it('is opened by an older program until something is removed that it needs', async () => {
    const server = await migratedDatabase(things);
    try {
      await (await open(server.app)).close();
      await expect(open(server.app, newer)).rejects.toThrow('has version 2, but this program needs 3');
      await (await open(server.app, older)).close();
      const other = { ...things, name: 'trade_agent_other' };
      await expect(open(server.app, other)).rejects.toThrow('has version 0, but this program needs 2');
      const contracted = [...newer.migrations, { contract: 'DROP TABLE newer' }];
      await migrateSchema(server.owner, { ...things, migrations: contracted });
      await expect(open(server.app, newer)).rejects.toThrow('has version 4, but this program supports at most 3');
      await (await open(server.app, { ...things, migrations: contracted })).close();
    } finally {
      await server.drop();
    }
  });

  it('is opened by no login that its row security does not hold for, and none that is not let at it', async () => {
    const server = await migratedDatabase(things);
    const user = new URL(server.app).searchParams.get('user');
    try {
      for (const address of [server.superuser, server.owner, server.sweeper]) {
        await expect(open(address)).rejects.toThrow('row-level security does not apply');
      }
      await runSql(server.superuser, `ALTER ROLE ${user} BYPASSRLS`);
      await expect(open(server.app)).rejects.toThrow('row-level security does not apply');
    } finally {
      await server.drop();
    }
  });

  it('is not opened where a commit does not wait for the disk', async () => {
    const server = await migratedDatabase(things);
    const user = new URL(server.app).searchParams.get('user');
    try {
      await runSql(server.superuser, `ALTER ROLE ${user} SET synchronous_commit = off`);
      await expect(open(server.app)).rejects.toThrow('does not wait until commits are on disk');
    } finally {
      await server.drop();
    }
  });
});
