import { tenantTable } from '../../schema.ts';

/** How far a tenant's record is signed: one row, as only the latest is asked for. */
export const sql = (schema: string) => `
  CREATE TABLE record_checkpoint (
    tenant text NOT NULL DEFAULT current_tenant(),
    day text NOT NULL,
    seq bigint NOT NULL,
    hash text NOT NULL,
    anchored integer NOT NULL CHECK (anchored IN (0, 1)),
    PRIMARY KEY (tenant)
  );
  ${tenantTable(schema, 'record_checkpoint', { app: 'SELECT, INSERT, UPDATE' })}
`;
