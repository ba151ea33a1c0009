import { type DatabaseSchema, tenancyMigration, tenantTableMigration } from '../../../src/store/postgres/schema.ts';

/** A small schema for tests: one table that the application writes. */
export const things: DatabaseSchema = {
  name: 'trade_agent_things',
  migrations: [
    tenancyMigration('trade_agent_things'),
    `CREATE TABLE things (
       tenant text NOT NULL DEFAULT current_tenant(), id text NOT NULL, n bigint NOT NULL, PRIMARY KEY (tenant, id)
     );
     ${tenantTableMigration('trade_agent_things', 'things', { app: 'SELECT, INSERT, UPDATE, DELETE' })}`,
  ],
};
