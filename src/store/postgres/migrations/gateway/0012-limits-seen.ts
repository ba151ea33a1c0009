import { tenantTable } from '../../schema.ts';

/** Since when a tenant's rules have limits: one row, or none. */
export const sql = (schema: string) => `
  CREATE TABLE limits_seen (
    tenant text NOT NULL DEFAULT current_tenant(),
    since bigint NOT NULL,
    PRIMARY KEY (tenant)
  );
  ${tenantTable(schema, 'limits_seen', { app: 'SELECT, INSERT, DELETE' })}
`;
