import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openStateDatabase, type StateDatabase } from '../../../../src/store/sqlite/state-database.ts';
import { createSqliteStateStores } from '../../../../src/store/sqlite/state-stores.ts';
import { stateStoresContract } from '../../../contract/stores/state-stores.ts';

stateStoresContract(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'trade-agent-state-'));
  const key = randomBytes(32);
  const databases: StateDatabase[] = [];
  const another = () => {
    const database = openStateDatabase(join(folder, 'state.db'), key);
    databases.push(database);
    return createSqliteStateStores(database);
  };
  return {
    stores: another(),
    another,
    async close() {
      for (const database of databases) database.close();
      rmSync(folder, { recursive: true });
    },
  };
});
