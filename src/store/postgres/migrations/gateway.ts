import { DECIDED_STATES_SQL, OPEN_STATES_SQL, PENDING_NOTICE_SQL } from '../../rows/proposal-states.ts';
import {
  appRole,
  type DatabaseSchema,
  rateBucketTableMigration,
  tenancyMigration,
  tenantTableMigration,
} from '../schema.ts';

/** Schema of a gateway's tables. Its roles are `trade_agent_gateway_app` and `trade_agent_gateway_sweeper`. */
const schema = 'trade_agent_gateway';

/** Tables of the journals, used approvals, and policy decisions. Times are milliseconds since the epoch. */
const journals = `
  CREATE TABLE gateway_orders (
    tenant text NOT NULL DEFAULT current_tenant(),
    sub text NOT NULL,
    client_order_id text NOT NULL,
    -- Orders rows of the same millisecond: orders of one account are claimed one at a time, so the lower number is older.
    place bigint GENERATED ALWAYS AS IDENTITY,
    digest text NOT NULL,
    draft text NOT NULL,
    replaces text,
    state text NOT NULL CHECK (state IN ('intent', 'placed', 'rejected', 'unknown')),
    submissions integer NOT NULL,
    submitted_at bigint,
    ambiguous boolean NOT NULL DEFAULT false,
    result text,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    account text NOT NULL,
    symbol text NOT NULL,
    side text NOT NULL,
    -- Dollars and shares for which the order counts against limits.
    notional text NOT NULL,
    qty text NOT NULL,
    terms text NOT NULL,
    -- Time when the order was known to be closed at the broker.
    over_at bigint,
    mandate text,
    slot text,
    -- Time when the order was inferred to be absent at the broker, and until when it still counts.
    written_off_at bigint,
    reserved_until bigint,
    PRIMARY KEY (tenant, sub, client_order_id),
    CHECK ((state IN ('placed', 'rejected')) = (result IS NOT NULL))
  );
  CREATE INDEX gateway_orders_of_account ON gateway_orders (tenant, account, created_at);
  CREATE INDEX gateway_orders_open ON gateway_orders (tenant, account)
    WHERE over_at IS NULL AND state IN ('intent', 'placed', 'unknown');
  CREATE INDEX gateway_orders_written_off ON gateway_orders (tenant, written_off_at) WHERE written_off_at IS NOT NULL;
  ${tenantTableMigration(schema, 'gateway_orders', { app: 'SELECT, INSERT, UPDATE' })}

  CREATE TABLE gateway_messages (
    tenant text NOT NULL DEFAULT current_tenant(),
    sub text NOT NULL,
    client_message_id text NOT NULL,
    digest text NOT NULL,
    draft text NOT NULL,
    state text NOT NULL CHECK (state IN ('ready', 'intent', 'sent', 'refused', 'unknown')),
    epoch integer NOT NULL,
    result text,
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant, sub, client_message_id),
    CHECK ((state IN ('sent', 'refused')) = (result IS NOT NULL))
  );
  ${tenantTableMigration(schema, 'gateway_messages', { app: 'SELECT, INSERT, UPDATE' })}

  CREATE TABLE used_approvals (
    tenant text NOT NULL DEFAULT current_tenant(),
    issuer text NOT NULL,
    jti text NOT NULL,
    sub text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('order', 'message', 'mandate')),
    subject_id text NOT NULL,
    used_at bigint NOT NULL,
    PRIMARY KEY (tenant, issuer, jti)
  );
  -- A used approval never becomes unused.
  ${tenantTableMigration(schema, 'used_approvals', { app: 'SELECT, INSERT' })}

  CREATE TABLE decisions (
    tenant text NOT NULL DEFAULT current_tenant(),
    id bigint GENERATED ALWAYS AS IDENTITY,
    at bigint NOT NULL,
    sub text NOT NULL,
    client text NOT NULL,
    account text NOT NULL,
    action text NOT NULL,
    stage text NOT NULL CHECK (stage IN ('proposal', 'order')),
    subject_id text NOT NULL,
    effect text NOT NULL CHECK (effect IN ('allow', 'deny')),
    reasons text NOT NULL,
    texts text NOT NULL,
    measured text NOT NULL,
    policy text NOT NULL,
    facts text NOT NULL,
    PRIMARY KEY (tenant, sub, effect, id)
  );
  ${tenantTableMigration(schema, 'decisions', { app: 'SELECT, INSERT, DELETE' })}
`;

const proposals = `
  CREATE SEQUENCE proposal_versions;
  GRANT USAGE ON SEQUENCE proposal_versions TO ${appRole(schema)};
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
    -- Orders proposals of the same millisecond.
    place bigint NOT NULL DEFAULT nextval('proposal_versions'),
    version bigint NOT NULL DEFAULT nextval('proposal_versions'),
    deadline bigint NOT NULL,
    expires_at bigint NOT NULL,
    poll_interval integer NOT NULL,
    asked integer NOT NULL DEFAULT 0,
    sealed_token bytea,
    second_token bytea,
    token_expires_at bigint,
    result text,
    reason text,
    -- The latest version about whose outcome the phone was notified.
    told bigint NOT NULL DEFAULT 0,
    -- The time of the next step, the end of a claim, or the time of the check whether the phone was notified. NULL if
    -- nothing is planned.
    due_at timestamptz,
    -- The process that works on the proposal.
    claimed_by text,
    -- Whether a ping arrived since that process claimed the proposal.
    pinged boolean NOT NULL DEFAULT false,
    -- The IDs of CIBA requests are sealed. The hash is for finding the row of an ID.
    auth_req_hash text,
    sealed_auth_req_id bytea,
    sealed_owner_auth_req_id bytea,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, sub, subject_id)
  );
  CREATE INDEX proposals_of_person ON proposals (tenant, sub, created_at);
  CREATE INDEX proposals_asked ON proposals (tenant, sub, client, typed, created_at);
  CREATE INDEX proposals_decided ON proposals (tenant, sub, client, updated_at) WHERE state IN (${DECIDED_STATES_SQL});
  CREATE INDEX proposals_alike ON proposals (tenant, sub, fingerprint, created_at);
  CREATE INDEX proposals_changed ON proposals (tenant, sub, version);
  CREATE INDEX proposals_open ON proposals (tenant, sub, client, typed, state) WHERE state IN (${OPEN_STATES_SQL});
  CREATE INDEX proposals_for_others ON proposals (tenant, proposed_by, created_at) WHERE proposed_by IS NOT NULL;
  CREATE INDEX proposals_for_others_changed ON proposals (tenant, proposed_by, version)
    WHERE proposed_by IS NOT NULL;
  CREATE INDEX proposals_due ON proposals (tenant, due_at) WHERE due_at IS NOT NULL;
  CREATE UNIQUE INDEX proposals_asked_by ON proposals (tenant, auth_req_hash) WHERE auth_req_hash IS NOT NULL;
  CREATE INDEX proposals_unnotified ON proposals (tenant, version) WHERE ${PENDING_NOTICE_SQL};
  ${tenantTableMigration(schema, 'proposals', { app: 'SELECT, INSERT, UPDATE' })}

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
  ${tenantTableMigration(schema, 'proposal_keys', { app: 'SELECT, INSERT' })}

  CREATE TABLE halts (
    tenant text NOT NULL DEFAULT current_tenant(),
    sub text NOT NULL,
    halted_at bigint NOT NULL,
    by_client text NOT NULL,
    PRIMARY KEY (tenant, sub)
  );
  ${tenantTableMigration(schema, 'halts', { app: 'SELECT, INSERT, DELETE' })}
  CREATE TABLE reductions (
    tenant text NOT NULL DEFAULT current_tenant(),
    sub text NOT NULL,
    reduced_at bigint NOT NULL,
    until bigint,
    reduced_by text NOT NULL,
    PRIMARY KEY (tenant, sub)
  );
  ${tenantTableMigration(schema, 'reductions', { app: 'SELECT, INSERT, UPDATE, DELETE' })}
`;

/** The append-only audit log, the Merkle tree over its lines, and the days' checkpoints. */
const record = `
  CREATE TABLE record_lines (
    tenant text NOT NULL DEFAULT current_tenant(),
    id bigint GENERATED ALWAYS AS IDENTITY,
    -- The line's place in the Merkle tree. NULL until the line is sequenced.
    leaf bigint,
    sub text,
    -- The proposal or signing key that the line is about.
    about text,
    line text NOT NULL,
    PRIMARY KEY (tenant, id),
    UNIQUE (tenant, leaf)
  );
  CREATE INDEX record_lines_pending ON record_lines (tenant, id) WHERE leaf IS NULL;
  CREATE INDEX record_lines_of_person ON record_lines (tenant, sub, id) WHERE sub IS NOT NULL;
  CREATE INDEX record_lines_about ON record_lines (tenant, about) WHERE about IS NOT NULL;
  ${tenantTableMigration(schema, 'record_lines', { app: 'SELECT, INSERT, UPDATE (leaf)' })}
  -- The tree's hashes (C2SP tlog-tiles).
  CREATE TABLE record_tiles (
    tenant text NOT NULL DEFAULT current_tenant(),
    level integer NOT NULL,
    tile bigint NOT NULL,
    hashes bytea NOT NULL,
    PRIMARY KEY (tenant, level, tile)
  );
  ${tenantTableMigration(schema, 'record_tiles', { app: 'SELECT, INSERT, UPDATE' })}
  -- One row per tenant, which the process that sequences locks: the tree's size, its latest signed checkpoint, and the
  -- latest day that was closed.
  CREATE TABLE record_tree (
    tenant text NOT NULL DEFAULT current_tenant(),
    size bigint NOT NULL,
    checkpoint text,
    closed_day text,
    PRIMARY KEY (tenant)
  );
  ${tenantTableMigration(schema, 'record_tree', { app: 'SELECT, INSERT, UPDATE' })}
  CREATE TABLE record_checkpoints (
    tenant text NOT NULL DEFAULT current_tenant(),
    size bigint NOT NULL,
    day text NOT NULL,
    checkpoint text NOT NULL,
    anchored integer NOT NULL CHECK (anchored IN (0, 1)),
    PRIMARY KEY (tenant, size)
  );
  ${tenantTableMigration(schema, 'record_checkpoints', { app: 'SELECT, INSERT, UPDATE (anchored)' })}
`;

const mandates = `
  CREATE TABLE mandates (
    tenant text NOT NULL DEFAULT current_tenant(),
    sub text NOT NULL,
    id text NOT NULL,
    terms text NOT NULL,
    digest text NOT NULL,
    state text NOT NULL CHECK (state IN ('active', 'suspended', 'revoked', 'replaced')),
    created_at bigint NOT NULL,
    updated_at bigint NOT NULL,
    PRIMARY KEY (tenant, sub, id)
  );
  ${tenantTableMigration(schema, 'mandates', { app: 'SELECT, INSERT, UPDATE' })}

  CREATE TABLE mandate_uses (
    tenant text NOT NULL DEFAULT current_tenant(),
    sub text NOT NULL,
    mandate text NOT NULL,
    slot text NOT NULL,
    symbol text NOT NULL,
    side text NOT NULL CHECK (side IN ('buy', 'sell')),
    n integer NOT NULL CHECK (n >= 1),
    client_order_id text NOT NULL,
    PRIMARY KEY (tenant, sub, mandate, slot, symbol, side, n),
    UNIQUE (tenant, sub, client_order_id)
  );
  ${tenantTableMigration(schema, 'mandate_uses', { app: 'SELECT, INSERT, DELETE' })}

  CREATE TABLE standing_orders (
    tenant text NOT NULL DEFAULT current_tenant(),
    sub text NOT NULL,
    mandate text NOT NULL,
    client text NOT NULL,
    symbol text NOT NULL,
    due_at bigint,
    -- The time of the next check, or the end of the claim of a process that is checking. NULL once the order has ended.
    check_at bigint DEFAULT 0,
    state text NOT NULL CHECK (state IN ('watching', 'done', 'stopped')),
    last text,
    PRIMARY KEY (tenant, sub, mandate),
    FOREIGN KEY (tenant, sub, mandate) REFERENCES mandates (tenant, sub, id)
  );
  -- The symbol is in the index, so that a claim takes orders of the same symbol together.
  CREATE INDEX standing_orders_check ON standing_orders (tenant, check_at, symbol) WHERE check_at IS NOT NULL;
  ${tenantTableMigration(schema, 'standing_orders', { app: 'SELECT, INSERT, UPDATE' })}
`;

/** Signing keys and signatures, access to accounts, default accounts and broker keys, and used DPoP proofs. */
const people = `
  CREATE TABLE signing_keys (
    tenant text NOT NULL DEFAULT current_tenant(),
    credential_id text NOT NULL,
    -- Orders keys of the same millisecond: the lower number is older.
    place bigint GENERATED ALWAYS AS IDENTITY,
    sub text NOT NULL,
    rp_id text NOT NULL,
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
  ${tenantTableMigration(schema, 'signing_keys', { app: 'SELECT, INSERT, UPDATE' })}

  -- One row per person: a new pairing replaces an old one.
  CREATE TABLE pairings (
    tenant text NOT NULL DEFAULT current_tenant(),
    sub text NOT NULL,
    digest text NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (tenant, sub),
    UNIQUE (tenant, digest)
  );
  ${tenantTableMigration(schema, 'pairings', { app: 'SELECT, INSERT, UPDATE, DELETE' })}

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
  ${tenantTableMigration(schema, 'signatures', { app: 'SELECT, INSERT' })}

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
  ${tenantTableMigration(schema, 'access_grants', { app: 'SELECT, INSERT, UPDATE' })}

  -- Sealed by the gateway, so that not even the owner of the database can read them.
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
  ${tenantTableMigration(schema, 'broker_keys', { app: 'SELECT, INSERT, UPDATE, DELETE' })}

  CREATE TABLE default_accounts (
    tenant text NOT NULL DEFAULT current_tenant(),
    sub text NOT NULL,
    account text NOT NULL,
    PRIMARY KEY (tenant, sub)
  );
  ${tenantTableMigration(schema, 'default_accounts', { app: 'SELECT, INSERT, UPDATE, DELETE' })}

  CREATE TABLE gateway_dpop_proofs (
    tenant text NOT NULL DEFAULT current_tenant(),
    proof bytea NOT NULL,
    expires_at bigint NOT NULL,
    PRIMARY KEY (tenant, proof)
  );
  CREATE INDEX gateway_dpop_proofs_by_expiry ON gateway_dpop_proofs (expires_at);
  ${tenantTableMigration(schema, 'gateway_dpop_proofs', {
    app: 'SELECT, INSERT, UPDATE, DELETE',
    sweeper: 'SELECT, DELETE',
  })}
`;

/**
 * The keys (wrapped by a key management service) and the client registration that a tenant's gateways share, and the
 * time when the tenant's rules first had limits (at most one row).
 */
const sharedKeys = `
  CREATE TABLE gateway_keys (
    tenant text NOT NULL DEFAULT current_tenant(),
    name text NOT NULL CHECK (name IN ('client', 'next_client', 'seal', 'next_seal')),
    version integer NOT NULL CHECK (version > 0),
    wrapped text NOT NULL,
    PRIMARY KEY (tenant, name, version)
  );
  ${tenantTableMigration(schema, 'gateway_keys', { app: 'SELECT, INSERT, DELETE' })}
  CREATE TABLE registered_clients (
    tenant text NOT NULL DEFAULT current_tenant(),
    registration text NOT NULL,
    PRIMARY KEY (tenant)
  );
  ${tenantTableMigration(schema, 'registered_clients', { app: 'SELECT, INSERT, UPDATE' })}
  CREATE TABLE early_pings (
    tenant text NOT NULL DEFAULT current_tenant(),
    ping text NOT NULL,
    received_at bigint NOT NULL,
    PRIMARY KEY (tenant, ping)
  );
  ${tenantTableMigration(schema, 'early_pings', { app: 'SELECT, INSERT, DELETE' })}
  -- Shows a gateway whether it has the same seal key as the tenant's others, without revealing the key.
  CREATE TABLE seal_checks (
    tenant text NOT NULL DEFAULT current_tenant(),
    seal_check text NOT NULL,
    PRIMARY KEY (tenant)
  );
  ${tenantTableMigration(schema, 'seal_checks', { app: 'SELECT, INSERT' })}
  CREATE TABLE limits_seen (
    tenant text NOT NULL DEFAULT current_tenant(),
    since bigint NOT NULL,
    PRIMARY KEY (tenant)
  );
  ${tenantTableMigration(schema, 'limits_seen', { app: 'SELECT, INSERT, DELETE' })}
  CREATE TABLE rules (
    tenant text NOT NULL DEFAULT current_tenant(),
    name text NOT NULL CHECK (name ~ '^(limits\\.yaml|(policies|firm)/[^/]+\\.cedar)$'),
    text text NOT NULL CHECK (octet_length(text) <= 262144),
    -- Gateways load rules again if a digest changes, so a text can't be changed without its digest.
    digest text NOT NULL CHECK (digest = encode(sha256(convert_to(text, 'UTF8')), 'hex')),
    PRIMARY KEY (tenant, name)
  );
  ${tenantTableMigration(schema, 'rules', { app: 'SELECT, INSERT, UPDATE, DELETE' })}
`;

/** A gateway's tables. The columns are the same as in SQLite, so that the same code reads the rows (`store/rows/`). */
export const gatewaySchema: DatabaseSchema = {
  name: schema,
  migrations: [
    tenancyMigration(schema) +
      journals +
      proposals +
      record +
      mandates +
      people +
      sharedKeys +
      rateBucketTableMigration(schema),
  ],
};
