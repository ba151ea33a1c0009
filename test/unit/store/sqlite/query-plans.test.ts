import Database from 'better-sqlite3-multiple-ciphers';
import { expect, it } from 'vitest';
import { createSqliteGatewayStores } from '../../../../src/store/sqlite/gateway-stores.ts';

it('what an account has open is found by an index of open orders, however many it ever placed', async () => {
  const database = new Database(':memory:');
  const statements: string[] = [];
  const prepare = database.prepare.bind(database);
  database.prepare = ((sql: string) => {
    statements.push(sql);
    return prepare(sql);
  }) as typeof database.prepare;
  await createSqliteGatewayStores(database).orders.open('PA3ALICE01', 10);

  const open = statements.filter((sql) =>
    /SELECT[^;]*FROM gateway_orders[^;]*account = [^;]*over_at IS NULL/.test(sql),
  );
  expect(open).toHaveLength(2);
  for (const sql of open) {
    // What an index gives the planner doesn't depend on what is bound; a name or a place for it does not count here.
    const plan = prepare<[], { detail: string }>(`EXPLAIN QUERY PLAN ${sql.replaceAll(/@\w+|\?/g, 'NULL')}`);
    expect(
      plan
        .all()
        .map(({ detail }) => detail)
        .join('; '),
      sql,
    ).toMatch(/^SEARCH gateway_orders USING INDEX gateway_orders_open /);
  }
});
