import { type Schema, tenancy, tenantTable } from '../../../src/store/postgres/schema.ts';

/** A schema as any other: a table that the application writes, one that it can only add to, and what the sweeper forgets. */
export const things: Schema = {
  name: 'trade_agent_things',
  migrations: [
    tenancy('trade_agent_things'),
    `CREATE TABLE things (
       tenant text NOT NULL DEFAULT current_tenant(), id text NOT NULL, n bigint NOT NULL, PRIMARY KEY (tenant, id)
     );
     ${tenantTable('trade_agent_things', 'things', { app: 'SELECT, INSERT, UPDATE, DELETE' })}
     CREATE TABLE lines (tenant text NOT NULL DEFAULT current_tenant(), seq bigint, PRIMARY KEY (tenant, seq));
     ${tenantTable('trade_agent_things', 'lines', { app: 'SELECT, INSERT', sweeper: 'SELECT, DELETE' })}`,
  ],
};
