import { stateSchema } from '../../../src/store/postgres/migrations/state.ts';
import { postgresCheckStore } from '../../../src/store/postgres/state/check-store.ts';
import { limitToPerson } from '../../../src/store/postgres/state/person-database.ts';
import { checkStoreContract } from '../../contract/stores/check-store.ts';
import { blockDatabase, withPostgres } from '../support/database.ts';

withPostgres('what checks remember in PostgreSQL', () => {
  const server = blockDatabase(stateSchema);

  checkStoreContract(async () => {
    const store = postgresCheckStore(limitToPerson(await server.open(), 'alice'));
    return { store, close: async () => store.close() };
  });
});
