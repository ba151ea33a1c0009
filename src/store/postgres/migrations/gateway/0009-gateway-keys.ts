import { tenantTable } from '../../schema.ts';

/** The keys that all gateways of a tenant have, wrapped by a key management service, and the client that they registered. */
export const sql = (schema: string) => `
  CREATE TABLE gateway_keys (
    tenant text NOT NULL DEFAULT current_tenant(),
    name text NOT NULL CHECK (name IN ('client', 'next_client', 'seal', 'next_seal')),
    version integer NOT NULL CHECK (version > 0),
    wrapped text NOT NULL,
    PRIMARY KEY (tenant, name, version)
  );
  ${tenantTable(schema, 'gateway_keys', { app: 'SELECT, INSERT, DELETE' })}
  CREATE TABLE registered_clients (
    tenant text NOT NULL DEFAULT current_tenant(),
    registration text NOT NULL,
    PRIMARY KEY (tenant)
  );
  ${tenantTable(schema, 'registered_clients', { app: 'SELECT, INSERT, UPDATE' })}
`;
