import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Database from 'better-sqlite3-multiple-ciphers';
import { prepareHomeDatabase } from '../../../../src/store/home/schema.ts';
import { createSqliteTransactions } from '../../../../src/store/sqlite/sql-database.ts';
import { homeStoresContract } from '../../../contract/stores/home/home-stores.ts';

homeStoresContract(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'home-stores-'));
  const [ours, anothers] = ['provider.db', 'provider.db'].map((name) => new Database(join(folder, name)));
  if (ours === undefined || anothers === undefined) throw new Error('the database could not be opened');
  return {
    database: createSqliteTransactions(prepareHomeDatabase(ours)),
    another: createSqliteTransactions(anothers),
    close: async () => {
      ours.close();
      anothers.close();
      rmSync(folder, { recursive: true });
    },
  };
});
