import { DECIDED, OPEN, TOLD } from '../../../rows/proposal-states.ts';
import { tenantTable } from '../../schema.ts';

/** Proposals and halts, and the record: its lines are kept here for good, and can be added to alone. */
export const sql = (schema: string) => `
  CREATE TABLE proposals (
    tenant text NOT NULL DEFAULT current_tenant(),
    id text NOT NULL,
    sub text NOT NULL,
    proposed_by text,
    second text,
    client text NOT NULL,
    username text,
    email text,
    kind text NOT NULL,
    state text NOT NULL,
    code text NOT NULL,
    subject text NOT NULL,
    subject_id text NOT NULL,
    fingerprint text NOT NULL,
    digest text NOT NULL,
    nonce text,
    shown text NOT NULL,
    again bigint,
    typed boolean NOT NULL,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    -- The version that it was drafted as: of the same millisecond the later one is the newer.
    place bigint NOT NULL,
    version bigint NOT NULL,
    deadline bigint NOT NULL,
    expires_at bigint NOT NULL,
    auth_req_id text,
    owner_auth_req_id text,
    notification_token text,
    poll_interval integer NOT NULL,
    asked integer NOT NULL DEFAULT 0,
    sealed_token bytea,
    second_token bytea,
    token_expires_at bigint,
    result text,
    reason text,
    -- Up to which of its versions the phone was told what became of it.
    told bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, sub, subject_id),
    UNIQUE (tenant, version),
    UNIQUE (tenant, auth_req_id)
  );
  CREATE INDEX proposals_of_person ON proposals (tenant, sub, created_at);
  CREATE INDEX proposals_asked ON proposals (tenant, sub, client, typed, created_at);
  CREATE INDEX proposals_decided ON proposals (tenant, sub, client, updated_at) WHERE state IN (${DECIDED});
  CREATE INDEX proposals_alike ON proposals (tenant, sub, fingerprint, created_at);
  CREATE INDEX proposals_changed ON proposals (tenant, sub, version);
  CREATE INDEX proposals_open ON proposals (tenant, sub, client, typed, state) WHERE state IN (${OPEN});
  CREATE INDEX proposals_untold ON proposals (tenant, version)
    WHERE auth_req_id IS NOT NULL AND told < version AND state IN (${TOLD});
  CREATE INDEX proposals_for_others ON proposals (tenant, proposed_by, created_at) WHERE proposed_by IS NOT NULL;
  CREATE INDEX proposals_for_others_changed ON proposals (tenant, proposed_by, version)
    WHERE proposed_by IS NOT NULL;
  ${tenantTable(schema, 'proposals', { app: 'SELECT, INSERT, UPDATE' })}

  CREATE TABLE proposal_keys (
    tenant text NOT NULL DEFAULT current_tenant(),
    sub text NOT NULL,
    client text NOT NULL,
    key text NOT NULL,
    request text NOT NULL,
    proposal text NOT NULL,
    PRIMARY KEY (tenant, sub, client, key),
    FOREIGN KEY (tenant, proposal) REFERENCES proposals (tenant, id)
  );
  ${tenantTable(schema, 'proposal_keys', { app: 'SELECT, INSERT' })}

  CREATE TABLE halts (
    tenant text NOT NULL DEFAULT current_tenant(),
    sub text NOT NULL,
    halted_at bigint NOT NULL,
    by_client text NOT NULL,
    PRIMARY KEY (tenant, sub)
  );
  ${tenantTable(schema, 'halts', { app: 'SELECT, INSERT, DELETE' })}
  CREATE TABLE reductions (
    tenant text NOT NULL DEFAULT current_tenant(),
    sub text NOT NULL,
    reduced_at bigint NOT NULL,
    until bigint,
    reduced_by text NOT NULL,
    PRIMARY KEY (tenant, sub)
  );
  ${tenantTable(schema, 'reductions', { app: 'SELECT, INSERT, UPDATE, DELETE' })}

  ${record(schema)}
`;

const record = (schema: string) => `
  -- One row a tenant: the record's last line, and the latest version of a proposal. Who writes one or the other holds it.
  CREATE TABLE heads (
    tenant text NOT NULL DEFAULT current_tenant(),
    seq bigint NOT NULL,
    hash text NOT NULL,
    version bigint NOT NULL,
    -- By it a gateway knows whether it has the key by which the others seal tokens; tells nothing of it.
    seal_check text,
    PRIMARY KEY (tenant)
  );
  ${tenantTable(schema, 'heads', { app: 'SELECT, INSERT, UPDATE' })}
  CREATE TABLE record_lines (
    tenant text NOT NULL DEFAULT current_tenant(),
    seq bigint NOT NULL,
    line text NOT NULL,
    PRIMARY KEY (tenant, seq)
  );
  ${tenantTable(schema, 'record_lines', { app: 'SELECT, INSERT' })}
`;
