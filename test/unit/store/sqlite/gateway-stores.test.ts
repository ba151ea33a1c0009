import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { sqliteGatewayStores } from '../../../../src/store/sqlite/gateway-stores.ts';
import type { OpenStores } from '../../../contract/stores/gateway-factory.ts';
import { gatewayStoresContract } from '../../../contract/stores/gateway-stores.ts';

const open: OpenStores = async () => {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-stores-'));
  const databases: Database.Database[] = [];
  const another = () => {
    const database = new Database(join(folder, 'gateway.db'));
    databases.push(database);
    return sqliteGatewayStores(database);
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
