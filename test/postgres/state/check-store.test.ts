import { afterAll, beforeAll } from 'vitest';
import { stateSchema } from '../../../src/store/postgres/migrations/state.ts';
import { postgresCheckStore } from '../../../src/store/postgres/state/check-store.ts';
import { personDatabase } from '../../../src/store/postgres/state/person-database.ts';
import { checkStoreContract } from '../../contract/stores/check-store.ts';
import { migratedDatabase, type TestDatabase, withPostgres } from '../support/database.ts';

withPostgres('what checks remember in PostgreSQL', () => {
  let server: TestDatabase;
  beforeAll(async () => {
    server = await migratedDatabase(stateSchema);
  });
  afterAll(() => server.drop());

  checkStoreContract(async () => {
    const store = postgresCheckStore(personDatabase(await server.open(), 'alice'));
    return { store, close: async () => store.close() };
  });
});
