import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { PairedPhone } from '../../e2e/home-world.ts';
import { emptyDatabase, withPostgres } from '../../postgres/support/database.ts';
import { createHomeThatDies, type HomeThatDies } from './home-that-dies.ts';

type Place = Parameters<HomeThatDies['commandDies']>[0];

/** Places at which the move there, and the move back, are killed; `@2`: at the second file. */
const there: readonly Place[] = [
  'migrate.arrived',
  'migrate.switched',
  'migrate.settled',
  'migrate.renamed',
  'migrate.renamed@2',
];
const back: readonly Place[] = [
  'migrate.written',
  'migrate.left',
  'migrate.named',
  'migrate.named@2',
  'migrate.returned',
];
const isFull = Number(process.env.CRASH_SEEDS ?? 1) > 1;

withPostgres('a home that is killed while it moves', () => {
  let world: HomeThatDies;
  let phone: PairedPhone;
  let database: Awaited<ReturnType<typeof emptyDatabase>>;
  beforeAll(async () => {
    database = await emptyDatabase();
    world = await createHomeThatDies();
    await world.init();
    const stop = await world.serve();
    phone = await world.pair();
    await world.json('profile', 'add', 'home', '--home', world.address, '--credential-store', 'file');
    await world.login(phone);
    await world.propose('buy 1 AAPL');
    await stop();
    writeFileSync(join(world.home, 'database-url'), database.owner, { mode: 0o600 });
  }, 120_000);
  afterAll(async () => {
    await world.close();
    await database.drop();
  });

  const toPostgres = ['home', 'migrate', '--to', 'postgres', '--url-file', 'database-url'];
  const toSqlite = ['home', 'migrate', '--to', 'sqlite'];
  /** All rows of the home's SQLite files. */
  const content = () =>
    ['gateway.db', 'provider.db'].map((name) => {
      const file = new Database(join(world.home, name), { readonly: true });
      const tables = file
        .prepare<[], string>(
          "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1",
        )
        .pluck()
        .all();
      const rows = tables.map((table) => [table, file.prepare(`SELECT * FROM "${table}"`).all()]);
      file.close();
      return Object.fromEntries(rows);
    });
  const open = async () => (await world.inside(async ({ stores }) => stores.proposals.list({ state: 'open' }))).length;

  it.each<Place>(isFull ? there : ['migrate.switched'])(
    'to PostgreSQL at %s is whole in one place, and completes the move at the next try',
    { timeout: 120_000 },
    async (at) => {
      const before = content();
      await world.commandDies(at, ...toPostgres);
      const isSwitched = readFileSync(join(world.home, 'gateway.yaml'), 'utf8').includes('database:');
      expect(isSwitched).toBe(at !== 'migrate.arrived');
      await world.json(...toPostgres);
      expect(await open()).toBe(1);
      await world.json(...toSqlite);
      expect(content()).toEqual(before);
    },
  );

  it.each<Place>(isFull ? back : ['migrate.left'])(
    'back to SQLite at %s is whole in one place, and completes the move at the next try',
    { timeout: 120_000 },
    async (at) => {
      const before = content();
      await world.json(...toPostgres);
      await world.commandDies(at, ...toSqlite);
      // After the rows were deleted, the home cannot be served from where nothing is left.
      const served = at === 'migrate.left' ? await world.cli('home', 'serve') : undefined;
      expect(served?.code ?? 2).toBe(2);
      await world.json(...toSqlite);
      expect(content()).toEqual(before);
      expect(await open()).toBe(1);
    },
  );

  it('still places the order that was proposed before all this', { timeout: 60_000 }, async () => {
    const stop = await world.serve();
    expect((await world.approve(phone)).ok).toBe(true);
    await expect.poll(() => world.sandbox.broker.book().length, { timeout: 30_000 }).toBe(1);
    await stop();
  });
});
