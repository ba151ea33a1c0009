import { tenantTable } from '../../schema.ts';

/** The keys that people approve with and what they signed, who is let at an account, accounts at brokers, and proofs seen. */
export const sql = (schema: string) => `
  CREATE TABLE signing_keys (
    tenant text NOT NULL DEFAULT current_tenant(),
    credential_id text NOT NULL,
    -- Of the same millisecond the one of the lower number is the older.
    place bigint GENERATED ALWAYS AS IDENTITY,
    sub text NOT NULL,
    public_key bytea NOT NULL,
    algorithm integer NOT NULL,
    counter bigint NOT NULL,
    method text NOT NULL CHECK (method IN ('webauthn', 'software')),
    device_type text NOT NULL CHECK (device_type IN ('singleDevice', 'multiDevice')),
    backed_up boolean NOT NULL,
    name text NOT NULL,
    transports text NOT NULL,
    enrolled_at bigint NOT NULL,
    last_used_at bigint,
    removed_at bigint,
    PRIMARY KEY (tenant, credential_id)
  );
  CREATE INDEX signing_keys_of_person ON signing_keys (tenant, sub) WHERE removed_at IS NULL;
  ${tenantTable(schema, 'signing_keys', { app: 'SELECT, INSERT, UPDATE' })}

  -- One of each person: a newer takes an older one's place.
  CREATE TABLE pairings (
    tenant text NOT NULL DEFAULT current_tenant(),
    sub text NOT NULL,
    digest text NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (tenant, sub),
    UNIQUE (tenant, digest)
  );
  ${tenantTable(schema, 'pairings', { app: 'SELECT, INSERT, UPDATE, DELETE' })}

  CREATE TABLE signatures (
    tenant text NOT NULL DEFAULT current_tenant(),
    sub text NOT NULL,
    approval text NOT NULL,
    digest text NOT NULL,
    evidence text NOT NULL,
    credential_id text NOT NULL,
    signed_at bigint NOT NULL,
    PRIMARY KEY (tenant, sub, approval, digest),
    FOREIGN KEY (tenant, credential_id) REFERENCES signing_keys (tenant, credential_id)
  );
  ${tenantTable(schema, 'signatures', { app: 'SELECT, INSERT' })}

  CREATE TABLE access_grants (
    tenant text NOT NULL DEFAULT current_tenant(),
    id text NOT NULL,
    place bigint GENERATED ALWAYS AS IDENTITY,
    account text NOT NULL,
    role text NOT NULL CHECK (role IN ('co_owner', 'advisor', 'viewer', 'firm', 'household', 'member')),
    who text NOT NULL,
    via text,
    valid_from bigint NOT NULL,
    valid_until bigint,
    granted_at bigint NOT NULL,
    revoked_at bigint,
    PRIMARY KEY (tenant, id)
  );
  CREATE INDEX access_to_account ON access_grants (tenant, account) WHERE revoked_at IS NULL;
  CREATE INDEX access_of_person ON access_grants (tenant, who) WHERE revoked_at IS NULL;
  ${tenantTable(schema, 'access_grants', { app: 'SELECT, INSERT, UPDATE' })}

  -- Sealed by the gateway: not even the database's owner can read them.
  CREATE TABLE broker_keys (
    tenant text NOT NULL DEFAULT current_tenant(),
    sub text NOT NULL,
    connection text NOT NULL,
    kind text NOT NULL,
    sealed bytea NOT NULL,
    account_number text NOT NULL,
    environment text NOT NULL CHECK (environment IN ('paper', 'live')),
    kept_at bigint NOT NULL,
    PRIMARY KEY (tenant, sub, connection)
  );
  ${tenantTable(schema, 'broker_keys', { app: 'SELECT, INSERT, UPDATE, DELETE' })}

  CREATE TABLE default_accounts (
    tenant text NOT NULL DEFAULT current_tenant(),
    sub text NOT NULL,
    account text NOT NULL,
    PRIMARY KEY (tenant, sub)
  );
  ${tenantTable(schema, 'default_accounts', { app: 'SELECT, INSERT, UPDATE, DELETE' })}

  CREATE TABLE gateway_dpop_proofs (
    tenant text NOT NULL DEFAULT current_tenant(),
    proof bytea NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (tenant, proof)
  );
  CREATE INDEX gateway_dpop_proofs_by_expiry ON gateway_dpop_proofs (expires_at);
  ${tenantTable(schema, 'gateway_dpop_proofs', {
    app: 'SELECT, INSERT, UPDATE, DELETE',
    sweeper: 'SELECT, DELETE',
  })}
`;
