import { appOf, type Migration, tenantTable } from '../../schema.ts';

/** Has a table's rows be seen and written by their one person alone, `sub`, within the tenant: a second policy that must hold too. */
const personTable = (schema: string, table: string, rights: { readonly app: string }): Migration => `
  ${tenantTable(schema, table, rights)}
  CREATE POLICY of_person ON ${table} AS RESTRICTIVE TO ${appOf(schema)}, CURRENT_USER
    USING (sub = current_person()) WITH CHECK (sub = current_person());
`;

/**
 * People's secrets, sealed by the tenant's data keys, which a key management service has wrapped. `credential_holders` says who
 * has any, and is what is locked while one person's change. A data key stays for as long as anything is sealed by it.
 */
export const credentials = (schema: string): Migration => `
  CREATE FUNCTION current_person() RETURNS text LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
  DECLARE person text := current_setting('ta.sub', true);
  BEGIN
    IF person IS NULL OR person = '' THEN
      RAISE EXCEPTION 'no person is set' USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN person;
  END $$;

  CREATE TABLE data_keys (
    tenant text NOT NULL DEFAULT current_tenant(),
    version integer NOT NULL CHECK (version > 0),
    wrapped text NOT NULL,
    PRIMARY KEY (tenant, version)
  );
  ${tenantTable(schema, 'data_keys', { app: 'SELECT, INSERT, UPDATE' })}

  CREATE TABLE credential_holders (
    tenant text NOT NULL DEFAULT current_tenant(),
    sub text NOT NULL,
    PRIMARY KEY (tenant, sub)
  );
  ${tenantTable(schema, 'credential_holders', { app: 'SELECT, INSERT, UPDATE, DELETE' })}

  CREATE TABLE credentials (
    tenant text NOT NULL DEFAULT current_tenant(),
    sub text NOT NULL,
    name text NOT NULL,
    key_version integer NOT NULL,
    sealed bytea NOT NULL,
    PRIMARY KEY (tenant, sub, name),
    FOREIGN KEY (tenant, sub) REFERENCES credential_holders,
    FOREIGN KEY (tenant, key_version) REFERENCES data_keys
  );
  ${personTable(schema, 'credentials', { app: 'SELECT, INSERT, UPDATE, DELETE' })}

  -- Whoever was given an epoch is its only holder, until the moment it says, by the server's clock.
  CREATE TABLE credential_leases (
    tenant text NOT NULL DEFAULT current_tenant(),
    sub text NOT NULL,
    purpose text NOT NULL,
    epoch bigint NOT NULL,
    until timestamptz NOT NULL,
    PRIMARY KEY (tenant, sub, purpose)
  );
  ${personTable(schema, 'credential_leases', { app: 'SELECT, INSERT, UPDATE' })}
`;
