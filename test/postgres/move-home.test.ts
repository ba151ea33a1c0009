import Database from 'better-sqlite3-multiple-ciphers';
import { expect, it } from 'vitest';
import { prepareHomeDatabase } from '../../src/store/home/schema.ts';
import { openMovableTenant } from '../../src/store/postgres/home-database.ts';
import type { SqliteHome } from '../../src/store/postgres/move-home.ts';
import { createAuthReqIdSeal } from '../../src/store/rows/auth-req-id.ts';
import { createSqliteGatewayStores } from '../../src/store/sqlite/gateway-stores.ts';
import { emptyDatabase, runSql, withPostgres } from './support/database.ts';
import { filledStores } from './support/filled-stores.ts';

/** @returns a home in memory whose tables of the gateway all have rows, as have those tables of the home that need none */
async function filledHome(): Promise<SqliteHome> {
  const home = emptyHome();
  await filledStores(createSqliteGatewayStores(home.gateway, createAuthReqIdSeal('of the test')));
  for (const { name } of tablesOf(home.home)) {
    const columns = home.home
      .prepare<[string], { name: string; type: string }>('SELECT name, type FROM pragma_table_info(?)')
      .all(name);
    // A zero byte, a quote and a letter beyond ASCII; decisions and outcomes are limited to words of their own.
    const values = columns.map(({ name: column, type }) => {
      if (column === 'decision' || column === 'outcome') return null;
      if (type === 'INTEGER') return 1;
      return type === 'BLOB' ? Buffer.from([0, 255]) : `${column} “é’`;
    });
    home.home.prepare(`INSERT INTO ${name} VALUES (${columns.map(() => '?').join(', ')})`).run(...values);
  }
  return home;
}

function emptyHome(): SqliteHome {
  const gateway = new Database(':memory:');
  createSqliteGatewayStores(gateway);
  return { gateway, home: prepareHomeDatabase(new Database(':memory:')) };
}

const tablesOf = (database: Database.Database) =>
  database
    .prepare<[], { name: string }>("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    .all();

const content = (database: Database.Database) =>
  Object.fromEntries(tablesOf(database).map(({ name }) => [name, database.prepare(`SELECT * FROM ${name}`).all()]));

withPostgres('a home that moves', () => {
  it('has the same rows in PostgreSQL, and after it has moved back', async () => {
    const database = await emptyDatabase();
    const source = await filledHome();
    const rules = { 'limits.yaml': 'accounts: {}\n', 'policies/own.cedar': '// “rule”' };
    const tenant = await openMovableTenant(database.owner, 'ours', true);
    try {
      const copied = await tenant.copyFrom(source, rules, 1);
      const tables = [...tablesOf(source.gateway), ...tablesOf(source.home)];
      expect(Object.keys(copied)).toHaveLength(tables.length);
      expect(Object.entries(copied).filter(([, rows]) => rows === 0)).toEqual([]);
      expect(await tenant.state()).toBe('arrived');
      // Tenants share the sequences: a home that moves in later must not set them back.
      const next = "SELECT nextval('trade_agent_gateway.record_lines_id_seq') AS next";
      await runSql(database.superuser, "SELECT setval('trade_agent_gateway.record_lines_id_seq', 1000000)");
      // An attempt that was not completed is repeated.
      expect(await tenant.copyFrom(source, rules, 2)).toEqual(copied);
      const [{ rows: [row] = [] } = {}] = await runSql(database.superuser, next);
      expect(Number(row.next)).toBeGreaterThan(1_000_000);
      await tenant.settle();
      await expect(tenant.copyFrom(source, rules, 3)).rejects.toMatchObject({ code: 'usage' });

      const target = emptyHome();
      const left: unknown[] = [];
      expect(await tenant.moveTo(target, (texts) => void left.push(texts), 4)).toEqual(copied);
      expect(left).toEqual([rules]);
      expect(await tenant.state()).toBe('left');
      expect(content(target.gateway)).toEqual(content(source.gateway));
      expect(content(target.home)).toEqual(content(source.home));
    } finally {
      await tenant.close();
      await database.drop();
    }
  });
});
