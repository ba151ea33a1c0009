import { beforeEach, expect, it } from 'vitest';
import type { TenantDatabase } from '../../src/store/postgres/tenant-database.ts';
import { blockDatabase, runSql, withPostgres } from './support/database.ts';
import { things } from './support/things.ts';

const PUT = 'INSERT INTO things (id, n) VALUES (@id, @n)';

withPostgres('a tenant’s part of a database', () => {
  const server = blockDatabase(things);
  let ours: TenantDatabase;
  let theirs: TenantDatabase;
  beforeEach(async () => {
    [ours, theirs] = [await server.open(), await server.open()];
    await ours.write((unit) => unit.run(PUT, { id: 'a', n: 1 }));
  });
  const idsOf = (database: TenantDatabase) =>
    database.read((unit) => unit.all<{ id: string; n: number }>('SELECT id, n FROM things ORDER BY id'));

  it('has its own rows alone, also under the same key', async () => {
    await theirs.write((unit) => unit.run(PUT, { id: 'a', n: 2 }));
    expect(await idsOf(ours)).toEqual([{ id: 'a', n: 1 }]);
    expect(await idsOf(theirs)).toEqual([{ id: 'a', n: 2 }]);
    expect(await theirs.write((unit) => unit.run('UPDATE things SET n = n + 1'))).toBe(1);
    expect(await theirs.write((unit) => unit.run('DELETE FROM things'))).toBe(1);
    expect(await idsOf(ours)).toEqual([{ id: 'a', n: 1 }]);
  });

  it('undoes a unit of work that fails, also where somebody swallowed why', async () => {
    const failing = ours.write(async (unit) => {
      await unit.run(PUT, { id: 'b', n: 2 });
      throw new Error('changed my mind');
    });
    await expect(failing).rejects.toThrow('changed my mind');
    const swallowing = ours.write(async (unit) => {
      await unit.run(PUT, { id: 'b', n: 2 });
      await unit.run(PUT, { id: 'a', n: 2 }).catch(() => undefined);
    });
    await expect(swallowing).rejects.toThrow('was rolled back');
    expect(await idsOf(ours)).toEqual([{ id: 'a', n: 1 }]);
  });

  it('ends with what was said to be the last statement: it is written, and nothing may follow', async () => {
    expect(await ours.write((unit) => unit.last.run(PUT, { id: 'b', n: 2 }))).toBe(1);
    expect(await ours.read((unit) => unit.last.all('SELECT id FROM things'))).toHaveLength(2);
    const following = ours.write(async (unit) => {
      await unit.last.run(PUT, { id: 'c', n: 3 });
      await unit.run(PUT, { id: 'd', n: 4 });
    });
    await expect(following).rejects.toThrow('no statement may follow');
    expect((await idsOf(ours)).map(({ id }) => id)).toEqual(['a', 'b', 'c']);
  });

  it('undoes all of what went out together where one of it fails, the last or the first', async () => {
    const twice = { id: 'a', n: 2 };
    const together = (first: object, last: object) =>
      ours.write((unit) => Promise.all([unit.run(PUT, { ...first }), unit.last.run(PUT, { ...last })]));
    await expect(together({ id: 'b', n: 2 }, twice)).rejects.toThrow('duplicate key');
    await expect(together(twice, { id: 'c', n: 3 })).rejects.toThrow('duplicate key');
    expect(await idsOf(ours)).toEqual([{ id: 'a', n: 1 }]);
  });

  it('reads as of one moment, and writes nothing while it does', async () => {
    const counts = await ours.read(async (unit) => {
      const before = await unit.all('SELECT * FROM things');
      await ours.write((other) => other.run(PUT, { id: 'b', n: 2 }));
      return [before.length, (await unit.all('SELECT * FROM things')).length];
    });
    expect(counts).toEqual([1, 1]);
    await expect(ours.read((unit) => unit.run(PUT, { id: 'c', n: 3 }))).rejects.toThrow('read-only');
  });

  it('waits for the disk with each unit but those that say they need not', async () => {
    const synced = "SELECT current_setting('synchronous_commit') AS at";
    const setting = async (which: 'write' | 'writeUnsynced') =>
      (await ours[which]((unit) => unit.one<{ at: string }>(synced)))?.at;
    expect([await setting('write'), await setting('writeUnsynced'), await setting('write')]).toEqual([
      'on',
      'off',
      'on',
    ]);
  });

  it('tells big numbers exactly, or not at all', async () => {
    await ours.write((unit) => unit.run(PUT, { id: 'b', n: Number.MAX_SAFE_INTEGER }));
    expect((await idsOf(ours))[1]?.n).toBe(Number.MAX_SAFE_INTEGER);
    await ours.write((unit) => unit.run('UPDATE things SET n = n + 1 WHERE id = @id', { id: 'b' }));
    await expect(idsOf(ours)).rejects.toThrow('exceeds 2^53');
  });

  it('takes no statement that lacks a value', async () => {
    await expect(ours.write((unit) => unit.run(PUT, { id: 'b' }))).rejects.toThrow('no value for n');
  });

  it('lets no lock be waited for for ever', async () => {
    const LOCK = 'SELECT * FROM things FOR UPDATE';
    const waited = await ours.write(async (unit) => {
      await unit.all(LOCK);
      return await ours
        .write(async (other) => {
          await other.run("SET LOCAL lock_timeout = '50ms'");
          await other.all(LOCK);
        })
        .catch((error: unknown) => error);
    });
    expect(waited).toMatchObject({ message: expect.stringContaining('lock timeout') });
    const limits = await ours.read((unit) =>
      unit.all<{ name: string; setting: string }>(`
        SELECT name, setting FROM pg_settings
        WHERE name IN ('lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout') ORDER BY name`),
    );
    expect(limits.map(({ setting }) => Number(setting))).toEqual([15_000, 5_000, 10_000]);
  });

  it('goes on after its connections were cut, and the unit that was cut is undone', async () => {
    const KILL =
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()';
    const cut = ours.write(async (unit) => {
      await unit.run(PUT, { id: 'b', n: 2 });
      await runSql(server.superuser, KILL);
      await unit.run(PUT, { id: 'c', n: 3 });
    });
    await expect(cut).rejects.toThrow();
    expect(await idsOf(ours)).toEqual([{ id: 'a', n: 1 }]);
  });
});

it('has a name that an SQL text may hold', async () => {
  const { validateTenantName } = await import('../../src/store/postgres/tenant-database.ts');
  for (const name of ['', "a'b", 'a b', 'ä', 'x'.repeat(65), "'; DROP TABLE orders; --"]) {
    expect(() => validateTenantName(name), name).toThrow(RangeError);
  }
});
