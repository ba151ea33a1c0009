import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../../../src/machine/clock.ts';
import type { CredentialStore } from '../../../src/secrets/credential-store.ts';
import { createDataKeys } from '../../../src/secrets/envelope/data-keys.ts';
import { createSecretSeal } from '../../../src/secrets/envelope/secret-seal.ts';
import { addWrappingKey, openFileKms } from '../../../src/secrets/kms/file-kms.ts';
import { stateSchema } from '../../../src/store/postgres/migrations/state.ts';
import { postgresCredentialStore } from '../../../src/store/postgres/state/credential-store.ts';
import { postgresDataKeyRows } from '../../../src/store/postgres/state/data-key-rows.ts';
import { limitToPerson } from '../../../src/store/postgres/state/person-database.ts';
import type { TenantDatabase } from '../../../src/store/postgres/tenant-database.ts';
import { credentialStoreContract } from '../../contract/secrets/credential-store.ts';
import { blockDatabase, runSql, withPostgres } from '../support/database.ts';

const SECRET = 'planted-secret-4e02';
const table = (name: string) => `${stateSchema.name}.${name}`;

withPostgres('credentials in PostgreSQL', () => {
  const server = blockDatabase(stateSchema);
  let folder: string;
  let file: string;
  let database: TenantDatabase;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'trade-agent-credentials-'));
    file = join(folder, 'wrapping-keys.json');
    await addWrappingKey(file);
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true });
  });
  beforeEach(async () => {
    database = await server.open();
  });

  /** A process's: with no key unwrapped yet. */
  const parts = (of = database) => {
    const keys = createDataKeys(
      openFileKms(file),
      postgresDataKeyRows(() => of),
      systemClock,
    );
    return { keys, seal: createSecretSeal(keys) };
  };
  const open = (sub = 'auth0|alice', of = database, more: { leaseMs?: number; clock?: Clock } = {}): CredentialStore =>
    postgresCredentialStore({ database: of, sub, seal: parts(of).seal, ...more });
  const sql = async (statement: string) => (await runSql(server.superuser, statement))[0]?.rows ?? [];

  credentialStoreContract(async () => ({
    open,
    others: () => open('auth0|bob'),
    close: async () => undefined,
    longest: 16_384,
  }));

  it('keeps the same person of two tenants apart', async () => {
    await open().set({ refresh_token: SECRET });
    expect((await open('auth0|alice', await server.open()).get(['refresh_token'])).refresh_token).toBeUndefined();
  });

  it('lets nothing stand in clear in any table', async () => {
    const store = open();
    await store.set({ refresh_token: SECRET, session: SECRET });
    await store.probe();
    const tables = await sql(`SELECT tablename FROM pg_tables WHERE schemaname = '${stateSchema.name}'`);
    const dumped: string[] = [];
    for (const { tablename } of tables)
      dumped.push(...(await sql(`SELECT one::text FROM ${table(tablename)} AS one`)).map(({ one }) => one));
    const dump = dumped.join('\n');
    expect(dump).toContain('refresh_token');
    for (const form of ['utf8', 'hex', 'base64'] as const)
      expect(dump).not.toContain(Buffer.from(SECRET).toString(form).replace(/=+$/, ''));
    expect((await open().get(['session'])).session).toBe(SECRET);
  });

  it.each([
    ['another person’s', `person = 'auth0|bob'`, ['auth0|bob', 'refresh_token']],
    ['another name’s', `name = 'access_token'`, ['auth0|alice', 'access_token']],
  ] as const)('does not open a row that was made %s', async (_, change, [sub, name]) => {
    await open('auth0|bob').set({ session: 's' });
    await open().set({ refresh_token: SECRET });
    await sql(
      `UPDATE ${table('credentials')} SET ${change} WHERE tenant = '${database.tenant}' AND name = 'refresh_token'`,
    );
    const error = await open(sub)
      .get([name])
      .catch((thrown: Error) => thrown);
    expect(error).toMatchObject({ code: 'credential_store_unavailable' });
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain(SECRET);
  });

  it('shows one person’s rows to nobody else of the tenant, and none to who names no person', async () => {
    await open().set({ refresh_token: SECRET });
    const rows = (sub: string | undefined) =>
      database.read(async (unit) => {
        if (sub !== undefined) await unit.one("SELECT set_config('ta.person', @sub, true)", { sub });
        return await unit.all('SELECT name FROM credentials');
      });
    expect(await rows('auth0|alice')).toEqual([{ name: 'refresh_token' }]);
    expect(await rows('auth0|bob')).toEqual([]);
    await expect(rows(undefined)).rejects.toThrow('no person is set');
    const bobs = database.write(async (unit) => {
      await unit.one("SELECT set_config('ta.person', 'auth0|bob', true)");
      return await unit.run("UPDATE credentials SET person = 'auth0|bob'");
    });
    expect(await bobs).toBe(0);
    const given = database.write(async (unit) => {
      await unit.one("SELECT set_config('ta.person', 'auth0|alice', true)");
      return await unit.run("UPDATE credentials SET person = 'auth0|bob'");
    });
    await expect(given).rejects.toThrow(/row-level security/);
  });

  it('has one of two changes look only after the other has written', async () => {
    await open().set({ refresh_token: 'first' });
    const WAITING = `SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()`;
    const tries: Promise<boolean>[] = [];
    // Neither gets to write before both have come as far as they can.
    await limitToPerson(database, 'auth0|alice').write(async (unit) => {
      await unit.all('SELECT FROM credentials FOR UPDATE');
      for (const refresh_token of ['one', 'other'])
        tries.push(open().set({ refresh_token }, { refresh_token: 'first' }));
      await expect.poll(async () => (await sql(WAITING)).length).toBe(2);
    });
    expect((await Promise.all(tries)).toSorted()).toEqual([false, true]);
  });

  it('has its data keys wrapped again, after which nothing needs the older wrapping key', async () => {
    await open().set({ session: 's' });
    const before = readFileSync(file, 'utf8');
    await addWrappingKey(file);
    expect(await parts().keys.rewrap(database.tenant)).toBe(1);
    const ring = JSON.parse(readFileSync(file, 'utf8')) as { keys: object[] };
    writeFileSync(file, JSON.stringify({ ...ring, keys: ring.keys.slice(-1) }));
    expect((await open().get(['session'])).session).toBe('s');
    writeFileSync(file, before);
    await expect(open().get(['session'])).rejects.toMatchObject({ code: 'credential_store_unavailable' });
  });

  it('puts no wrapped key in place of one that is another by now', async () => {
    await open().set({ session: 's' });
    const rows = postgresDataKeyRows(() => database);
    const read = await rows.newest(database.tenant);
    if (read === undefined) throw new Error('there is no data key');
    expect(await rows.replace(database.tenant, { ...read, wrapped: 'another' }, 'file:00000000:AA')).toBe(false);
    expect(await rows.add(database.tenant, { version: read.version, wrapped: 'another' })).toBe(false);
    expect(await rows.all(database.tenant)).toEqual([read]);
  });

  it('lets no data key go that something is sealed by', async () => {
    await open().set({ session: 's' });
    await expect(sql(`DELETE FROM ${table('data_keys')} WHERE tenant = '${database.tenant}'`)).rejects.toThrow(
      'foreign key',
    );
  });

  it('says that it can’t be used where the KMS or the database is gone, and changes nothing', async () => {
    await open().set({ session: 's' });
    const gone = { code: 'credential_store_unavailable', hint: expect.any(String) };
    renameSync(file, `${file}.away`);
    await expect(open().get(['session'])).rejects.toMatchObject(gone);
    await expect(open().set({ session: 't' })).rejects.toMatchObject(gone);
    renameSync(`${file}.away`, file);
    expect((await open().get(['session'])).session).toBe('s');
    const closed = await server.open(database.tenant);
    const store = open('auth0|alice', closed);
    await store.get(['session']);
    await runSql(server.superuser, `ALTER TABLE ${table('credentials')} RENAME TO hidden`);
    await expect(store.get(['session'])).rejects.toMatchObject({
      ...gone,
      message: expect.stringContaining('42P01'),
    });
    await runSql(server.superuser, `ALTER TABLE ${table('hidden')} RENAME TO credentials`);
  });

  describe('a lock', () => {
    const RUN_OUT = `UPDATE ${table('credential_leases')} SET until = now() - interval '1 second'`;
    /** Of a process that stands still: it renews nothing. */
    const still: Clock = {
      now: () => 0,
      monotonic: () => 0,
      sleep: (_, signal) => new Promise((_resolve, stopped) => signal?.addEventListener('abort', stopped)),
    };

    it('is taken over from a process that stands still, and what that one still writes is refused', async () => {
      const other = open();
      const first = open('auth0|alice', database, { clock: still });
      await first.exclusively('session', async () => {
        await first.set({ refresh_token: 'mine' });
        await sql(RUN_OUT);
        // Run out, and nobody's yet: still its own.
        await first.set({ refresh_token: 'still mine' });
        await other.exclusively('session', () => other.set({ refresh_token: 'theirs' }));
        const late = { code: 'busy', message: expect.stringContaining('taken over') };
        await expect(first.set({ refresh_token: 'late' })).rejects.toMatchObject(late);
        await expect(first.delete(['refresh_token'])).rejects.toMatchObject(late);
        await expect(first.erase()).rejects.toMatchObject(late);
      });
      expect((await other.get(['refresh_token'])).refresh_token).toBe('theirs');
    });

    it('is not given back by who lost it', async () => {
      const [taken, mayEnd] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
      let second: Promise<void> | undefined;
      await open('auth0|alice', database, { clock: still }).exclusively('session', async () => {
        await sql(RUN_OUT);
        second = open().exclusively('session', async () => {
          taken.resolve();
          await mayEnd.promise;
        });
        await taken.promise;
      });
      const held = `SELECT FROM ${table('credential_leases')} WHERE tenant = '${database.tenant}' AND until > now()`;
      expect(await sql(held)).toHaveLength(1);
      mayEnd.resolve();
      await second;
      expect(await sql(held)).toHaveLength(0);
    });

    it('is kept for as long as its holder works', async () => {
      const store = open('auth0|alice', database, { leaseMs: 90 });
      const until = async () =>
        (await sql(`SELECT until FROM ${table('credential_leases')} WHERE tenant = '${database.tenant}'`))[0]?.until;
      await store.exclusively('session', async () => {
        const first: Date = await until();
        await expect.poll(until).not.toEqual(first);
        await store.set({ session: 's' });
      });
      expect(await until()).toBe(Number.NEGATIVE_INFINITY);
    });

    it('is waited for as long as an exchange may take, and then told as held', async () => {
      const holder = open();
      await holder.exclusively('session', async () => {
        let now = 0;
        const fast: Clock = {
          now: () => now,
          monotonic: () => now,
          sleep: async (ms) => {
            now += ms * 1000;
          },
        };
        const waiting = open('auth0|alice', database, { clock: fast }).exclusively('session', async () => 'late');
        await expect(waiting).rejects.toMatchObject({ code: 'busy' });
        expect(now).toBeGreaterThan(60_000);
      });
    });
  });
});
