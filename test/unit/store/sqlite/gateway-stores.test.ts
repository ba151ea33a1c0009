import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { sqliteGatewayStores } from '../../../../src/store/sqlite/gateway-stores.ts';
import type { OpenStores } from '../../../contract/stores/gateway-factory.ts';
import { messageJournalContract } from '../../../contract/stores/message-journal.ts';
import { orderJournalContract } from '../../../contract/stores/order-journal.ts';
import { proofStoreContract } from '../../../contract/stores/proof-store.ts';
import { proposalStoreContract } from '../../../contract/stores/proposal-store.ts';

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

orderJournalContract(open);
messageJournalContract(open);
proofStoreContract(open);
proposalStoreContract(open);
