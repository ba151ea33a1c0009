import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { createAuthReqIdSeal } from '../../../../src/store/rows/auth-req-id.ts';
import { createSqliteGatewayStores } from '../../../../src/store/sqlite/gateway-stores.ts';
import { createSqliteTransactions } from '../../../../src/store/sqlite/sql-database.ts';
import type { OpenStores } from '../../../contract/stores/gateway-factory.ts';
import { gatewayStoresContract } from '../../../contract/stores/gateway-stores.ts';
import { receiptCostContract } from '../../../contract/stores/receipt-cost.ts';

/** An empty gateway's database, made once: the migrations are not what is tried here. */
const empty = (() => {
  const database = new Database(':memory:');
  createSqliteGatewayStores(database);
  const bytes = database.serialize();
  database.close();
  return bytes;
})();

const open: OpenStores = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-stores-'));
  writeFileSync(join(folder, 'gateway.db'), empty);
  const databases: Database.Database[] = [];
  const another = () => {
    const database = new Database(join(folder, 'gateway.db'));
    databases.push(database);
    // No power is cut here; what the program sets is in migrate.test.ts.
    const hurry = () => void database.pragma('synchronous = OFF');
    hurry();
    const stores = createSqliteGatewayStores(database, createAuthReqIdSeal('of the test'));
    hurry();
    return stores;
  };
  return {
    stores: another(),
    another,
    async close() {
      for (const database of databases) database.close();
      rmSync(folder, { recursive: true });
    },
  };
};

gatewayStoresContract(open);

receiptCostContract(async () => createSqliteTransactions(new Database(empty)));
