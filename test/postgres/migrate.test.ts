import { afterEach, beforeEach, expect, it } from 'vitest';
import { migrateSchema } from '../../src/store/postgres/migrate.ts';
import { openDatabase } from '../../src/store/postgres/open-database.ts';
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

  it('all of it, or nothing', async () => {
    const broken = {
      ...things,
      migrations: [...things.migrations, 'CREATE TABLE t (n integer); SELECT 1 / 0'],
    };
    await expect(migrateSchema(empty.owner, broken)).rejects.toThrow('division by zero');
    const [schemas] = await runSql(empty.superuser, `SELECT FROM pg_namespace WHERE nspname = '${things.name}'`);
    expect(schemas?.rowCount).toBe(0);
  });

  it('is left alone where a newer program made it', async () => {
    await migrateSchema(empty.owner, newer);
    await expect(migrateSchema(empty.owner, things)).rejects.toMatchObject({
      code: 'invalid_config',
      message: 'the database has version 3, but this program supports at most 2',
    });
  });

  it('is opened by a program of its own version alone', async () => {
    const server = await migratedDatabase(things);
    try {
      await (await open(server.app)).close();
      await expect(open(server.app, newer)).rejects.toThrow('has version 2, but this program needs 3');
      await expect(open(server.app, older)).rejects.toThrow('has version 2, but this program supports at most 1');
      const other = { ...things, name: 'trade_agent_other' };
      await expect(open(server.app, other)).rejects.toThrow('has version 0, but this program needs 2');
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
