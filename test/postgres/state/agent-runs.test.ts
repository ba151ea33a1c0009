import { randomUUID } from 'node:crypto';
import { beforeAll, inject, it } from 'vitest';
import { stateSchema } from '../../../src/store/postgres/migrations/state.ts';
import { openDatabase } from '../../../src/store/postgres/open-database.ts';
import { openPostgresStateStores } from '../../../src/store/postgres/state/state-stores.ts';
import { keepThreadsIn } from '../../integration/agent/world.ts';
import { blockDatabase } from '../support/database.ts';

// The agent's own tests once more, each new agent with a pool of its own, as another machine would have.
if (inject('postgresHost') === undefined) {
  it.skip('the agent on PostgreSQL (needs PostgreSQL)');
} else {
  const server = blockDatabase(stateSchema);
  beforeAll(async () => {
    keepThreadsIn(async () => {
      const own = { address: server.app, schema: stateSchema, tenant: randomUUID() };
      return async () => openPostgresStateStores(await openDatabase({ ...own, max: 2 }), 'alice');
    });
  });

  await import('../../integration/agent/run.test.ts');
  await import('../../integration/agent/pending.test.ts');
}
