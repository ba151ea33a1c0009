import { type Migration, tenantTable } from '../../schema.ts';

/**
 * Jobs for an engine that keeps them elsewhere, from the commit that they belong to until they are done. `due_at` is when
 * one is to be handed over next: after a while again, as long as it is there.
 */
export const jobs = (schema: string): Migration => `
  CREATE TABLE job_outbox (
    tenant text NOT NULL DEFAULT current_tenant(), id bigint GENERATED ALWAYS AS IDENTITY,
    kind text NOT NULL, key text NOT NULL, ids text NOT NULL,
    due_at timestamptz NOT NULL, tries integer NOT NULL DEFAULT 0,
    dead_at timestamptz, code text,
    PRIMARY KEY (tenant, id)
  );
  CREATE INDEX job_outbox_due ON job_outbox (tenant, due_at) WHERE dead_at IS NULL;
  CREATE INDEX job_outbox_dead ON job_outbox (tenant, dead_at) WHERE dead_at IS NOT NULL;
  ${tenantTable(schema, 'job_outbox', { app: 'SELECT, INSERT, UPDATE, DELETE' })}
`;
