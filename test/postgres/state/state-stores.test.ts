import { stateSchema } from '../../../src/store/postgres/migrations/state.ts';
import { limitToPerson } from '../../../src/store/postgres/state/person-database.ts';
import { postgresStateStores } from '../../../src/store/postgres/state/state-stores.ts';
import { stateStoresContract } from '../../contract/stores/state-stores.ts';
import { blockDatabase, withPostgres } from '../support/database.ts';

withPostgres('the agent’s state in PostgreSQL', () => {
  const server = blockDatabase(stateSchema);

  stateStoresContract(async () => {
    const database = await server.open();
    const elsewhere = await server.open(database.tenant);
    return {
      stores: postgresStateStores(limitToPerson(database, 'alice')),
      another: () => postgresStateStores(limitToPerson(elsewhere, 'alice')),
      close: async () => undefined,
    };
  });
});
