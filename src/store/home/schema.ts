import type { Database } from 'better-sqlite3-multiple-ciphers';

/**
 * Tables of an OpenID provider: oidc-provider's entities, the provider's keys, and used DPoP proofs. The sandbox's
 * company needs no other tables.
 */
const providerTables = `
  CREATE TABLE IF NOT EXISTS oidc_entities (
    model TEXT NOT NULL, id TEXT NOT NULL, payload TEXT NOT NULL, grant_id TEXT, user_code TEXT, uid TEXT,
    expires_at INTEGER, consumed_at INTEGER, PRIMARY KEY (model, id)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS oidc_entities_grant ON oidc_entities (grant_id) WHERE grant_id IS NOT NULL;
  CREATE INDEX IF NOT EXISTS oidc_entities_user_code ON oidc_entities (user_code) WHERE user_code IS NOT NULL;
  CREATE INDEX IF NOT EXISTS oidc_entities_expiry ON oidc_entities (expires_at) WHERE expires_at IS NOT NULL;
  CREATE TABLE IF NOT EXISTS provider_keys (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS provider_signing_keys (
    kid TEXT PRIMARY KEY, jwk TEXT NOT NULL, signs_from INTEGER NOT NULL, signs_until INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS dpop_proofs (
    proof BLOB PRIMARY KEY, expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS dpop_proofs_expiry ON dpop_proofs (expires_at);
`;

const peopleTables = `
  CREATE TABLE IF NOT EXISTS people (
    username TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, added_at INTEGER NOT NULL, removed_at INTEGER
  ) STRICT;
  CREATE TABLE IF NOT EXISTS person_cleanups (username TEXT PRIMARY KEY, ended_at INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS browser_sessions (
    digest TEXT PRIMARY KEY, username TEXT NOT NULL, key TEXT, signed_in_by TEXT NOT NULL, credential_id TEXT,
    synced INTEGER NOT NULL, browser TEXT NOT NULL, opened_at INTEGER NOT NULL, seen_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS phone_tickets (
    digest TEXT PRIMARY KEY, username TEXT NOT NULL, expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS recovery_codes (
    username TEXT PRIMARY KEY, digest TEXT NOT NULL, issued_at INTEGER NOT NULL, used_at INTEGER
  ) STRICT;
`;

const grantTables = `
  CREATE TABLE IF NOT EXISTS issued_tokens (
    jti TEXT PRIMARY KEY, grant_id TEXT NOT NULL, expires_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS issued_tokens_expiry ON issued_tokens (expires_at);
  CREATE TABLE IF NOT EXISTS granted_devices (
    grant_id TEXT PRIMARY KEY, username TEXT NOT NULL, client_name TEXT NOT NULL, device_name TEXT, at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS granted_devices_user ON granted_devices (username);
  CREATE TABLE IF NOT EXISTS authorized_clients (
    grant_id TEXT PRIMARY KEY, username TEXT NOT NULL, client_id TEXT NOT NULL, name TEXT NOT NULL, host TEXT NOT NULL,
    redirect_uri TEXT NOT NULL, at INTEGER NOT NULL, used_at INTEGER
  ) STRICT;
  CREATE INDEX IF NOT EXISTS authorized_clients_user ON authorized_clients (username, client_id);
  CREATE TABLE IF NOT EXISTS ended_clients (
    username TEXT NOT NULL, client_id TEXT NOT NULL, PRIMARY KEY (username, client_id)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS open_registrations (
    client_id TEXT PRIMARY KEY, address TEXT NOT NULL, registered_at INTEGER NOT NULL
  ) STRICT;
  CREATE INDEX IF NOT EXISTS open_registrations_address ON open_registrations (address);
  CREATE TABLE IF NOT EXISTS registered_clients (
    client_id TEXT PRIMARY KEY, owner TEXT NOT NULL, name TEXT NOT NULL, host TEXT, registered_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL, used_at INTEGER
  ) STRICT;
  CREATE INDEX IF NOT EXISTS registered_clients_owner ON registered_clients (owner);
  CREATE TABLE IF NOT EXISTS registration_tokens (
    digest TEXT PRIMARY KEY, owner TEXT NOT NULL, expires_at INTEGER NOT NULL, client_ends_at INTEGER NOT NULL
  ) STRICT;
`;

const approvalTables = `
  CREATE TABLE IF NOT EXISTS approval_requests (
    id TEXT PRIMARY KEY, auth_req_id TEXT NOT NULL UNIQUE, username TEXT NOT NULL, client_id TEXT NOT NULL,
    client_name TEXT NOT NULL, code TEXT NOT NULL, binding_message TEXT, details TEXT NOT NULL,
    requested_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
    decision TEXT CHECK (decision IN ('approve', 'deny')), decided_at INTEGER, delivered_at INTEGER, proposal TEXT,
    client_note TEXT, withdrawn_at INTEGER, replaced INTEGER NOT NULL DEFAULT 0, outcome_state TEXT, outcome_text TEXT,
    outcome_at INTEGER, evidence TEXT, claimed_until INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX IF NOT EXISTS approval_requests_user ON approval_requests (username, requested_at);
  CREATE INDEX IF NOT EXISTS approval_requests_open ON approval_requests (username, requested_at)
    WHERE decision IS NULL AND withdrawn_at IS NULL;
  CREATE INDEX IF NOT EXISTS approval_requests_count ON approval_requests (username, client_id, expires_at)
    WHERE decision IS NULL AND withdrawn_at IS NULL;
  CREATE INDEX IF NOT EXISTS approval_requests_waiting ON approval_requests (expires_at)
    WHERE decision IS NULL AND withdrawn_at IS NULL;
  CREATE INDEX IF NOT EXISTS approval_requests_proposal ON approval_requests (proposal)
    WHERE proposal IS NOT NULL AND decision IS NULL AND withdrawn_at IS NULL;
  CREATE INDEX IF NOT EXISTS approval_requests_lost ON approval_requests (proposal)
    WHERE proposal IS NOT NULL AND decision = 'approve' AND outcome_state IS NULL;
  CREATE INDEX IF NOT EXISTS approval_requests_undelivered ON approval_requests (id)
    WHERE delivered_at IS NULL AND (decision IS NOT NULL OR withdrawn_at IS NOT NULL);
  CREATE TABLE IF NOT EXISTS request_notifications (
    request TEXT PRIMARY KEY, pushed_at INTEGER, seen_at INTEGER, pushed_again_at INTEGER,
    claimed_until INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE IF NOT EXISTS code_choices (
    request TEXT NOT NULL, session TEXT NOT NULL, codes TEXT NOT NULL, picked INTEGER NOT NULL DEFAULT 0,
    drawn_at INTEGER NOT NULL, PRIMARY KEY (request, session)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS wrong_codes (request TEXT PRIMARY KEY, count INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS live_confirmations (
    username TEXT NOT NULL, account TEXT NOT NULL, confirmed_at INTEGER NOT NULL, PRIMARY KEY (username, account)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS push_keys (
    id INTEGER PRIMARY KEY CHECK (id = 1), public_key TEXT NOT NULL, private_key TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS push_subscriptions (
    endpoint TEXT PRIMARY KEY, username TEXT NOT NULL, session TEXT NOT NULL, credential TEXT NOT NULL,
    p256dh TEXT NOT NULL, auth TEXT NOT NULL, name TEXT NOT NULL, created_at INTEGER NOT NULL, last_success_at INTEGER,
    failures INTEGER NOT NULL DEFAULT 0, rests_until INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE INDEX IF NOT EXISTS push_subscriptions_user ON push_subscriptions (username);
  CREATE TABLE IF NOT EXISTS told_fills (
    fill TEXT PRIMARY KEY, told_at INTEGER, claimed_until INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE IF NOT EXISTS fills_seen (
    sub TEXT PRIMARY KEY, version INTEGER NOT NULL, polled_at INTEGER NOT NULL DEFAULT 0
  ) STRICT, WITHOUT ROWID;
`;

const vaultTables = `
  CREATE TABLE IF NOT EXISTS vault_connections (
    username TEXT NOT NULL, connection TEXT NOT NULL, sealed_refresh_token BLOB NOT NULL, connected_at INTEGER NOT NULL,
    scopes TEXT NOT NULL, refreshing_until INTEGER, PRIMARY KEY (username, connection)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS vault_once_connected (
    username TEXT NOT NULL, connection TEXT NOT NULL, PRIMARY KEY (username, connection)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS connection_requests (
    ticket TEXT PRIMARY KEY, auth_session TEXT NOT NULL UNIQUE, username TEXT NOT NULL, client TEXT NOT NULL, device TEXT,
    connection TEXT NOT NULL, scopes TEXT NOT NULL, state TEXT NOT NULL UNIQUE, verifier TEXT NOT NULL,
    expires_at INTEGER NOT NULL, signed INTEGER NOT NULL DEFAULT 0, answered INTEGER NOT NULL DEFAULT 0,
    outcome TEXT CHECK (outcome IN ('connected', 'denied', 'failed'))
  ) STRICT;
`;

/** Tables for redeemed assertions from companies, and for received and outgoing security events. */
const signalTables = `
  CREATE TABLE IF NOT EXISTS redeemed_assertions (
    issuer TEXT NOT NULL, jti TEXT NOT NULL, expires_at INTEGER NOT NULL, PRIMARY KEY (issuer, jti)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS redeemed_assertions_expiry ON redeemed_assertions (expires_at);
  CREATE TABLE IF NOT EXISTS company_standing (
    issuer TEXT NOT NULL, subject TEXT NOT NULL, username TEXT NOT NULL, revoked_before INTEGER NOT NULL,
    disabled_at INTEGER, PRIMARY KEY (issuer, subject)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS signals_seen (
    issuer TEXT NOT NULL, jti TEXT NOT NULL, digest TEXT NOT NULL, kept_until INTEGER NOT NULL,
    PRIMARY KEY (issuer, jti)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS signalled (
    id INTEGER PRIMARY KEY AUTOINCREMENT, username TEXT NOT NULL, issuer TEXT NOT NULL, effect TEXT NOT NULL,
    event TEXT NOT NULL, reason TEXT NOT NULL, jti TEXT NOT NULL, at INTEGER NOT NULL, ended_at INTEGER
  ) STRICT;
  CREATE INDEX IF NOT EXISTS signalled_unended ON signalled (id) WHERE ended_at IS NULL;
  CREATE TABLE IF NOT EXISTS transmitter_looked (id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER NOT NULL) STRICT;
  CREATE TABLE IF NOT EXISTS transmitter_seen (
    kind TEXT NOT NULL, id TEXT NOT NULL, username TEXT NOT NULL, ends_at INTEGER, detail TEXT NOT NULL,
    PRIMARY KEY (kind, id)
  ) STRICT;
  CREATE TABLE IF NOT EXISTS signal_outbox (
    id INTEGER PRIMARY KEY AUTOINCREMENT, endpoint TEXT NOT NULL, token TEXT NOT NULL, made_at INTEGER NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0, due_at INTEGER NOT NULL
  ) STRICT;
`;

export function prepareProviderDatabase<D extends Database>(database: D): D {
  database.pragma('journal_mode = WAL');
  // In WAL mode, better-sqlite3 defaults to NORMAL, with which a power failure could undo a decision.
  database.pragma('synchronous = FULL');
  return createTables(database, providerTables);
}

export function prepareHomeDatabase<D extends Database>(database: D): D {
  const tables = peopleTables + grantTables + approvalTables + vaultTables + signalTables;
  return createTables(prepareProviderDatabase(database), tables);
}

function createTables<D extends Database>(database: D, tables: string): D {
  // Holds the write lock, because another process may create the tables at the same time.
  database.transaction(() => database.exec(tables)).immediate();
  return database;
}
