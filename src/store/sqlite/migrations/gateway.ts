import { DECIDED_STATES_SQL, OPEN_STATES_SQL, PENDING_NOTICE_SQL } from '../../rows/proposal-states.ts';
import type { Migration } from '../migrate.ts';

const baseline = `
  CREATE TABLE gateway_orders (
    sub TEXT NOT NULL,
    client_order_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    draft TEXT NOT NULL,
    replaces TEXT,
    state TEXT NOT NULL CHECK (state IN ('intent', 'placed', 'rejected', 'unknown')),
    submissions INTEGER NOT NULL,
    submitted_at INTEGER,
    ambiguous INTEGER NOT NULL CHECK (ambiguous IN (0, 1)),
    result TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    account TEXT NOT NULL,
    symbol TEXT NOT NULL,
    side TEXT NOT NULL,
    -- Dollars and shares for which the order counts against limits.
    notional TEXT NOT NULL,
    qty TEXT NOT NULL,
    terms TEXT NOT NULL,
    -- Time when the order was known to be closed at the broker.
    over_at INTEGER,
    mandate TEXT,
    slot TEXT,
    -- Time when the order was inferred to be absent at the broker, and until when it still counts.
    written_off_at INTEGER,
    reserved_until INTEGER,
    PRIMARY KEY (sub, client_order_id),
    CHECK ((state IN ('placed', 'rejected')) = (result IS NOT NULL))
  ) STRICT;
  CREATE INDEX gateway_orders_of_account ON gateway_orders (account, created_at);
  CREATE INDEX gateway_orders_open ON gateway_orders (account)
    WHERE over_at IS NULL AND state IN ('intent', 'placed', 'unknown');
  CREATE INDEX gateway_orders_written_off ON gateway_orders (written_off_at) WHERE written_off_at IS NOT NULL;

  -- The epoch increases with each change.
  CREATE TABLE gateway_messages (
    sub TEXT NOT NULL,
    client_message_id TEXT NOT NULL,
    digest TEXT NOT NULL,
    draft TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('ready', 'intent', 'sent', 'refused', 'unknown')),
    epoch INTEGER NOT NULL,
    result TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (sub, client_message_id),
    CHECK ((state IN ('sent', 'refused')) = (result IS NOT NULL))
  ) STRICT;

  -- An approval can be used once, so orders, messages and mandates share one table.
  CREATE TABLE used_approvals (
    issuer TEXT NOT NULL,
    jti TEXT NOT NULL,
    sub TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('order', 'message', 'mandate')),
    subject_id TEXT NOT NULL,
    used_at INTEGER NOT NULL,
    PRIMARY KEY (issuer, jti)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE decisions (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    sub TEXT NOT NULL,
    client TEXT NOT NULL,
    account TEXT NOT NULL,
    action TEXT NOT NULL,
    stage TEXT NOT NULL CHECK (stage IN ('proposal', 'order')),
    subject_id TEXT NOT NULL,
    effect TEXT NOT NULL CHECK (effect IN ('allow', 'deny')),
    reasons TEXT NOT NULL,
    texts TEXT NOT NULL,
    measured TEXT NOT NULL,
    policy TEXT NOT NULL,
    facts TEXT NOT NULL
  ) STRICT;
  CREATE INDEX decisions_of_person ON decisions (sub, effect, id);

  CREATE TABLE proposals (
    id TEXT PRIMARY KEY,
    sub TEXT NOT NULL,
    client TEXT NOT NULL,
    username TEXT,
    email TEXT,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    code TEXT NOT NULL,
    subject TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    digest TEXT NOT NULL,
    shown TEXT NOT NULL,
    again INTEGER,
    typed INTEGER NOT NULL CHECK (typed IN (0, 1)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    version INTEGER NOT NULL UNIQUE,
    deadline INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    poll_interval INTEGER NOT NULL,
    asked INTEGER NOT NULL DEFAULT 0,
    sealed_token BLOB,
    token_expires_at INTEGER,
    result TEXT,
    reason TEXT,
    -- The latest version about whose outcome the phone was notified.
    told INTEGER NOT NULL DEFAULT 0,
    -- The time of the next step, or of the check whether the phone was notified. NULL if none is planned.
    due_at INTEGER,
    nonce TEXT,
    -- The proposer, if not the owner of the account, and the second approver.
    proposed_by TEXT,
    second TEXT,
    second_token BLOB,
    -- The IDs of CIBA requests are sealed. The hash is for finding the row of an ID.
    auth_req_hash TEXT,
    sealed_auth_req_id BLOB,
    sealed_owner_auth_req_id BLOB,
    UNIQUE (sub, subject_id)
  ) STRICT;
  CREATE INDEX proposals_of_person ON proposals (sub, created_at);
  CREATE INDEX proposals_asked ON proposals (sub, client, typed, created_at);
  CREATE INDEX proposals_decided ON proposals (sub, client, updated_at) WHERE state IN (${DECIDED_STATES_SQL});
  CREATE INDEX proposals_alike ON proposals (sub, fingerprint, created_at);
  CREATE INDEX proposals_changed ON proposals (sub, version);
  CREATE INDEX proposals_open ON proposals (sub, client, typed, state) WHERE state IN (${OPEN_STATES_SQL});
  CREATE INDEX proposals_for_others ON proposals (proposed_by, created_at) WHERE proposed_by IS NOT NULL;
  CREATE INDEX proposals_for_others_changed ON proposals (proposed_by, version) WHERE proposed_by IS NOT NULL;
  CREATE UNIQUE INDEX proposals_asked_by ON proposals (auth_req_hash) WHERE auth_req_hash IS NOT NULL;
  CREATE INDEX proposals_unnotified ON proposals (version) WHERE ${PENDING_NOTICE_SQL};
  CREATE INDEX proposals_due ON proposals (due_at) WHERE due_at IS NOT NULL;
  CREATE TABLE proposal_keys (
    sub TEXT NOT NULL,
    client TEXT NOT NULL,
    key TEXT NOT NULL,
    request TEXT NOT NULL,
    proposal TEXT NOT NULL REFERENCES proposals (id),
    PRIMARY KEY (sub, client, key)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE halts (
    sub TEXT PRIMARY KEY,
    halted_at INTEGER NOT NULL,
    by_client TEXT NOT NULL
  ) STRICT;
  -- People whose positions may only be reduced.
  CREATE TABLE reductions (
    sub TEXT PRIMARY KEY,
    reduced_at INTEGER NOT NULL,
    until INTEGER,
    reduced_by TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- The audit log. A line's leaf is its place in the Merkle tree, NULL until the line is sequenced. The tree's hashes
  -- are in tiles (C2SP tlog-tiles).
  CREATE TABLE record_lines (
    id INTEGER PRIMARY KEY,
    leaf INTEGER UNIQUE,
    sub TEXT,
    -- The proposal or signing key that the line is about.
    about TEXT,
    line TEXT NOT NULL
  ) STRICT;
  CREATE INDEX record_lines_pending ON record_lines (id) WHERE leaf IS NULL;
  CREATE INDEX record_lines_of_person ON record_lines (sub, id) WHERE sub IS NOT NULL;
  CREATE INDEX record_lines_about ON record_lines (about) WHERE about IS NOT NULL;
  CREATE TABLE record_tiles (
    level INTEGER NOT NULL,
    tile INTEGER NOT NULL,
    hashes BLOB NOT NULL,
    PRIMARY KEY (level, tile)
  ) STRICT;
  -- At most one row: the tree's size, its latest signed checkpoint, and the latest day that was closed.
  CREATE TABLE record_tree (
    one INTEGER PRIMARY KEY DEFAULT 1 CHECK (one = 1),
    size INTEGER NOT NULL,
    checkpoint TEXT,
    closed_day TEXT
  ) STRICT;
  CREATE TABLE record_checkpoints (
    size INTEGER PRIMARY KEY,
    day TEXT NOT NULL,
    checkpoint TEXT NOT NULL,
    anchored INTEGER NOT NULL CHECK (anchored IN (0, 1))
  ) STRICT;

  -- Signing keys, pairings for enrolling one, and signatures.
  CREATE TABLE signing_keys (
    credential_id TEXT PRIMARY KEY,
    sub TEXT NOT NULL,
    rp_id TEXT NOT NULL,
    public_key BLOB NOT NULL,
    algorithm INTEGER NOT NULL,
    counter INTEGER NOT NULL,
    method TEXT NOT NULL CHECK (method IN ('webauthn', 'software')),
    device_type TEXT NOT NULL CHECK (device_type IN ('singleDevice', 'multiDevice')),
    backed_up INTEGER NOT NULL CHECK (backed_up IN (0, 1)),
    name TEXT NOT NULL,
    transports TEXT NOT NULL,
    enrolled_at INTEGER NOT NULL,
    last_used_at INTEGER,
    removed_at INTEGER
  ) STRICT;
  CREATE INDEX signing_keys_of_person ON signing_keys (sub) WHERE removed_at IS NULL;
  -- One row per person: a new pairing replaces an old one.
  CREATE TABLE pairings (
    sub TEXT PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE signatures (
    sub TEXT NOT NULL,
    approval TEXT NOT NULL,
    digest TEXT NOT NULL,
    evidence TEXT NOT NULL,
    credential_id TEXT NOT NULL REFERENCES signing_keys (credential_id),
    signed_at INTEGER NOT NULL,
    PRIMARY KEY (sub, approval, digest)
  ) STRICT, WITHOUT ROWID;

  -- Sealed key pairs for accounts at brokers. A key pair is never sent to another kind of broker.
  CREATE TABLE broker_keys (
    sub TEXT NOT NULL, connection TEXT NOT NULL, sealed BLOB NOT NULL, account_number TEXT NOT NULL,
    environment TEXT NOT NULL CHECK (environment IN ('paper', 'live')), kept_at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    PRIMARY KEY (sub, connection)
  ) STRICT;
  CREATE TABLE default_accounts (
    sub TEXT PRIMARY KEY,
    account TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE access_grants (
    id TEXT PRIMARY KEY,
    account TEXT NOT NULL,
    role TEXT NOT NULL CHECK (role IN ('co_owner', 'advisor', 'viewer', 'firm', 'household', 'member')),
    who TEXT NOT NULL,
    via TEXT,
    valid_from INTEGER NOT NULL,
    valid_until INTEGER,
    granted_at INTEGER NOT NULL,
    revoked_at INTEGER
  ) STRICT;
  CREATE INDEX access_to_account ON access_grants (account) WHERE revoked_at IS NULL;
  CREATE INDEX access_of_person ON access_grants (who) WHERE revoked_at IS NULL;

  CREATE TABLE mandates (
    sub TEXT NOT NULL,
    id TEXT NOT NULL,
    terms TEXT NOT NULL,
    digest TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('active', 'suspended', 'revoked', 'replaced')),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    PRIMARY KEY (sub, id)
  ) STRICT, WITHOUT ROWID;
  -- The claim of an order takes a slot, and its refusal returns it. On demand, the slot is empty and n numbers the orders.
  CREATE TABLE mandate_uses (
    sub TEXT NOT NULL,
    mandate TEXT NOT NULL,
    slot TEXT NOT NULL,
    symbol TEXT NOT NULL,
    side TEXT NOT NULL CHECK (side IN ('buy', 'sell')),
    n INTEGER NOT NULL CHECK (n >= 1),
    client_order_id TEXT NOT NULL,
    PRIMARY KEY (sub, mandate, slot, symbol, side, n),
    UNIQUE (sub, client_order_id)
  ) STRICT, WITHOUT ROWID;
  -- Standing orders: when the next order is due, and the outcome of the last one.
  CREATE TABLE standing_orders (
    sub TEXT NOT NULL,
    mandate TEXT NOT NULL,
    client TEXT NOT NULL,
    symbol TEXT NOT NULL,
    due_at INTEGER,
    -- The time of the next check, or the end of the claim of a process that is checking. NULL once the order has ended.
    check_at INTEGER DEFAULT 0,
    state TEXT NOT NULL CHECK (state IN ('watching', 'done', 'stopped')),
    last TEXT,
    PRIMARY KEY (sub, mandate),
    FOREIGN KEY (sub, mandate) REFERENCES mandates (sub, id)
  ) STRICT, WITHOUT ROWID;
  -- The symbol is in the index, so that a claim takes orders of the same symbol together.
  CREATE INDEX standing_orders_check ON standing_orders (check_at, symbol) WHERE check_at IS NOT NULL;

  -- The hash of each ping that arrived before its question was stored.
  CREATE TABLE early_pings (
    ping TEXT PRIMARY KEY,
    received_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  -- DPoP proofs that were used.
  CREATE TABLE gateway_dpop_proofs (
    proof BLOB PRIMARY KEY,
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX gateway_dpop_proofs_by_expiry ON gateway_dpop_proofs (expires_at);

  -- The time since when the rules of the gateway have limits. At most one row.
  CREATE TABLE limits_seen (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    since INTEGER NOT NULL
  ) STRICT;
`;

export const gatewayMigrations: readonly Migration[] = [baseline];
