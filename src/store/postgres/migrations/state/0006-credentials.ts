import { type Migration, tenantTable } from '../../schema.ts';
import { PERSON_COLUMNS, personTable } from './0002-people.ts';

/**
 * People's secrets, sealed by the tenant's data keys, which a key management service has wrapped. `credential_holders` says who
 * has any, and is what is locked while one person's change. A data key stays for as long as anything is sealed by it.
 */
export const credentials = (schema: string): Migration => `
  CREATE TABLE data_keys (
    tenant text NOT NULL DEFAULT current_tenant(),
    version integer NOT NULL CHECK (version > 0),
    wrapped text NOT NULL,
    PRIMARY KEY (tenant, version)
  );
  ${tenantTable(schema, 'data_keys', { app: 'SELECT, INSERT, UPDATE' })}

  CREATE TABLE credential_holders (
    tenant text NOT NULL DEFAULT current_tenant(),
    person text NOT NULL,
    PRIMARY KEY (tenant, person)
  );
  ${tenantTable(schema, 'credential_holders', { app: 'SELECT, INSERT, UPDATE, DELETE' })}

  CREATE TABLE credentials (
    ${PERSON_COLUMNS},
    name text NOT NULL,
    key_version integer NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (tenant, person, name),
    FOREIGN KEY (tenant, person) REFERENCES credential_holders,
    FOREIGN KEY (tenant, key_version) REFERENCES data_keys
  );
  ${personTable(schema, 'credentials', { app: 'SELECT, INSERT, UPDATE, DELETE' })}

  -- Whoever was given an epoch is its only holder, until the moment it says, by the server's clock.
  CREATE TABLE credential_leases (
    ${PERSON_COLUMNS},
    purpose text NOT NULL,
    epoch bigint NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (tenant, person, purpose)
  );
  ${personTable(schema, 'credential_leases', { app: 'SELECT, INSERT, UPDATE' })}
`;
