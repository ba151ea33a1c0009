import { OPEN } from '../../../rows/proposal-states.ts';
import { tenantTable } from '../../schema.ts';

/** The gateways that live, by the database's own clock, and which of them looks after an open proposal. */
export const sql = (schema: string) => `
  CREATE TABLE gateways (
    tenant text NOT NULL DEFAULT current_tenant(),
    name text NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (tenant, name)
  );
  ${tenantTable(schema, 'gateways', { app: 'SELECT, INSERT, UPDATE, DELETE' })}
  ALTER TABLE proposals ADD COLUMN attendant text NOT NULL DEFAULT '';
  CREATE INDEX proposals_attended ON proposals (tenant, attendant) WHERE state IN (${OPEN});
`;
