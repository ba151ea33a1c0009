import { type DatabaseSchema, tenancyMigration, tenantTableMigration } from '../schema.ts';

/** Schema of a home's tables. Its roles are `trade_agent_home_app` and `trade_agent_home_sweeper`. */
const schema = 'trade_agent_home';

/**
 * Returns the SQL that creates a table of a home, with the same columns as in SQLite (`store/home/schema.ts`).
 * `place` orders rows of the same millisecond, like SQLite's `rowid`. Times are milliseconds since the epoch.
 */
const table = (name: string, columns: string): string => `
  CREATE TABLE ${name} (
    tenant text NOT NULL DEFAULT current_tenant(), place bigint GENERATED ALWAYS AS IDENTITY, ${columns}
  );
  ${tenantTableMigration(schema, name, { app: 'SELECT, INSERT, UPDATE, DELETE' })}`;

const provider = `
  ${table(
    'oidc_entities',
    `model text NOT NULL, id text NOT NULL, payload text NOT NULL, grant_id text, user_code text, uid text,
     expires_at bigint, consumed_at bigint, PRIMARY KEY (tenant, model, id)`,
  )}
  CREATE INDEX oidc_entities_grant ON oidc_entities (tenant, grant_id) WHERE grant_id IS NOT NULL;
  CREATE INDEX oidc_entities_user_code ON oidc_entities (tenant, user_code) WHERE user_code IS NOT NULL;
  CREATE INDEX oidc_entities_expiry ON oidc_entities (tenant, expires_at) WHERE expires_at IS NOT NULL;
  ${table('provider_keys', 'name text NOT NULL, value text NOT NULL, PRIMARY KEY (tenant, name)')}
  ${table(
    'provider_signing_keys',
    `kid text NOT NULL, jwk text NOT NULL, signs_from bigint NOT NULL, signs_until bigint NOT NULL,
     PRIMARY KEY (tenant, kid)`,
  )}
  ${table('dpop_proofs', 'proof bytea NOT NULL, expires_at bigint NOT NULL, PRIMARY KEY (tenant, proof)')}
  CREATE INDEX dpop_proofs_expiry ON dpop_proofs (tenant, expires_at);
`;

const people = `
  ${table(
    'people',
    `username text NOT NULL, name text NOT NULL, email text NOT NULL, added_at bigint NOT NULL, removed_at bigint,
     PRIMARY KEY (tenant, username)`,
  )}
  ${table('person_cleanups', 'username text NOT NULL, ended_at bigint NOT NULL, PRIMARY KEY (tenant, username)')}
  ${table(
    'browser_sessions',
    `digest text NOT NULL, username text NOT NULL, key text, signed_in_by text NOT NULL, credential_id text,
     synced integer NOT NULL, browser text NOT NULL, opened_at bigint NOT NULL, seen_at bigint NOT NULL,
     expires_at bigint NOT NULL, PRIMARY KEY (tenant, digest)`,
  )}
  ${table(
    'phone_tickets',
    'digest text NOT NULL, username text NOT NULL, expires_at bigint NOT NULL, PRIMARY KEY (tenant, digest)',
  )}
  ${table(
    'recovery_codes',
    `username text NOT NULL, digest text NOT NULL, issued_at bigint NOT NULL, used_at bigint,
     PRIMARY KEY (tenant, username)`,
  )}
`;

const grants = `
  ${table(
    'issued_tokens',
    'jti text NOT NULL, grant_id text NOT NULL, expires_at bigint NOT NULL, PRIMARY KEY (tenant, jti)',
  )}
  CREATE INDEX issued_tokens_expiry ON issued_tokens (tenant, expires_at);
  ${table(
    'granted_devices',
    `grant_id text NOT NULL, username text NOT NULL, client_name text NOT NULL, device_name text, at bigint NOT NULL,
     PRIMARY KEY (tenant, grant_id)`,
  )}
  CREATE INDEX granted_devices_user ON granted_devices (tenant, username);
  ${table(
    'authorized_clients',
    `grant_id text NOT NULL, username text NOT NULL, client_id text NOT NULL, name text NOT NULL, host text NOT NULL,
     redirect_uri text NOT NULL, at bigint NOT NULL, used_at bigint, PRIMARY KEY (tenant, grant_id)`,
  )}
  CREATE INDEX authorized_clients_user ON authorized_clients (tenant, username, client_id);
  ${table(
    'ended_clients',
    'username text NOT NULL, client_id text NOT NULL, PRIMARY KEY (tenant, username, client_id)',
  )}
  ${table(
    'open_registrations',
    'client_id text NOT NULL, address text NOT NULL, registered_at bigint NOT NULL, PRIMARY KEY (tenant, client_id)',
  )}
  CREATE INDEX open_registrations_address ON open_registrations (tenant, address);
  ${table(
    'registered_clients',
    `client_id text NOT NULL, owner text NOT NULL, name text NOT NULL, host text, registered_at bigint NOT NULL,
     ends_at bigint NOT NULL, used_at bigint, PRIMARY KEY (tenant, client_id)`,
  )}
  CREATE INDEX registered_clients_owner ON registered_clients (tenant, owner);
  ${table(
    'registration_tokens',
    `digest text NOT NULL, owner text NOT NULL, expires_at bigint NOT NULL, client_ends_at bigint NOT NULL,
     PRIMARY KEY (tenant, digest)`,
  )}
`;

const approvals = `
  ${table(
    'approval_requests',
    `id text NOT NULL, auth_req_id text NOT NULL, username text NOT NULL, client_id text NOT NULL,
     client_name text NOT NULL, code text NOT NULL, binding_message text, details text NOT NULL,
     requested_at bigint NOT NULL, expires_at bigint NOT NULL,
     decision text CHECK (decision IN ('approve', 'deny')), decided_at bigint, delivered_at bigint, proposal text,
     client_note text, withdrawn_at bigint, replaced integer NOT NULL DEFAULT 0, outcome_state text, outcome_text text,
     outcome_at bigint, evidence text, claimed_until bigint NOT NULL DEFAULT 0, PRIMARY KEY (tenant, id), UNIQUE (tenant, auth_req_id)`,
  )}
  CREATE INDEX approval_requests_user ON approval_requests (tenant, username, requested_at);
  CREATE INDEX approval_requests_open ON approval_requests (tenant, username, requested_at)
    WHERE decision IS NULL AND withdrawn_at IS NULL;
  CREATE INDEX approval_requests_count ON approval_requests (tenant, username, client_id, expires_at)
    WHERE decision IS NULL AND withdrawn_at IS NULL;
  CREATE INDEX approval_requests_waiting ON approval_requests (tenant, expires_at)
    WHERE decision IS NULL AND withdrawn_at IS NULL;
  CREATE INDEX approval_requests_proposal ON approval_requests (tenant, proposal)
    WHERE proposal IS NOT NULL AND decision IS NULL AND withdrawn_at IS NULL;
  CREATE INDEX approval_requests_lost ON approval_requests (tenant, proposal)
    WHERE proposal IS NOT NULL AND decision = 'approve' AND outcome_state IS NULL;
  CREATE INDEX approval_requests_undelivered ON approval_requests (tenant, id)
    WHERE delivered_at IS NULL AND (decision IS NOT NULL OR withdrawn_at IS NOT NULL);
  ${table(
    'request_notifications',
    `request text NOT NULL, pushed_at bigint, seen_at bigint, pushed_again_at bigint,
     claimed_until bigint NOT NULL DEFAULT 0, PRIMARY KEY (tenant, request)`,
  )}
  ${table(
    'code_choices',
    `request text NOT NULL, session text NOT NULL, codes text NOT NULL, picked integer NOT NULL DEFAULT 0,
     drawn_at bigint NOT NULL, PRIMARY KEY (tenant, request, session)`,
  )}
  ${table('wrong_codes', 'request text NOT NULL, count integer NOT NULL, PRIMARY KEY (tenant, request)')}
  ${table(
    'live_confirmations',
    `username text NOT NULL, account text NOT NULL, confirmed_at bigint NOT NULL,
     PRIMARY KEY (tenant, username, account)`,
  )}
  ${table('push_keys', 'public_key text NOT NULL, private_key text NOT NULL, PRIMARY KEY (tenant)')}
  ${table(
    'push_subscriptions',
    `endpoint text NOT NULL, username text NOT NULL, session text NOT NULL, credential text NOT NULL,
     p256dh text NOT NULL, auth text NOT NULL, name text NOT NULL, created_at bigint NOT NULL, last_success_at bigint,
     failures integer NOT NULL DEFAULT 0, rests_until bigint NOT NULL DEFAULT 0, PRIMARY KEY (tenant, endpoint)`,
  )}
  CREATE INDEX push_subscriptions_user ON push_subscriptions (tenant, username);
  ${table(
    'told_fills',
    'fill text NOT NULL, told_at bigint, claimed_until bigint NOT NULL DEFAULT 0, PRIMARY KEY (tenant, fill)',
  )}
  ${table(
    'fills_seen',
    'sub text NOT NULL, version bigint NOT NULL, polled_at bigint NOT NULL DEFAULT 0, PRIMARY KEY (tenant, sub)',
  )}
`;

const vault = `
  ${table(
    'vault_connections',
    `username text NOT NULL, connection text NOT NULL, sealed_refresh_token bytea NOT NULL,
     connected_at bigint NOT NULL, scopes text NOT NULL, refreshing_until bigint,
     PRIMARY KEY (tenant, username, connection)`,
  )}
  ${table(
    'vault_once_connected',
    'username text NOT NULL, connection text NOT NULL, PRIMARY KEY (tenant, username, connection)',
  )}
  ${table(
    'connection_requests',
    `ticket text NOT NULL, auth_session text NOT NULL, username text NOT NULL, client text NOT NULL, device text,
     connection text NOT NULL, scopes text NOT NULL, state text NOT NULL, verifier text NOT NULL,
     expires_at bigint NOT NULL, signed integer NOT NULL DEFAULT 0, answered integer NOT NULL DEFAULT 0,
     outcome text CHECK (outcome IN ('connected', 'denied', 'failed')),
     PRIMARY KEY (tenant, ticket), UNIQUE (tenant, auth_session), UNIQUE (tenant, state)`,
  )}
`;

/** Tables for redeemed assertions from companies, and for received and outgoing security events. */
const signals = `
  ${table(
    'redeemed_assertions',
    'issuer text NOT NULL, jti text NOT NULL, expires_at bigint NOT NULL, PRIMARY KEY (tenant, issuer, jti)',
  )}
  CREATE INDEX redeemed_assertions_expiry ON redeemed_assertions (tenant, expires_at);
  ${table(
    'company_standing',
    `issuer text NOT NULL, subject text NOT NULL, username text NOT NULL, revoked_before bigint NOT NULL,
     disabled_at bigint, PRIMARY KEY (tenant, issuer, subject)`,
  )}
  ${table(
    'signals_seen',
    `issuer text NOT NULL, jti text NOT NULL, digest text NOT NULL, kept_until bigint NOT NULL,
     PRIMARY KEY (tenant, issuer, jti)`,
  )}
  ${table(
    'signalled',
    `id bigint GENERATED BY DEFAULT AS IDENTITY, username text NOT NULL, issuer text NOT NULL, effect text NOT NULL,
     event text NOT NULL, reason text NOT NULL, jti text NOT NULL, at bigint NOT NULL, ended_at bigint,
     PRIMARY KEY (tenant, id)`,
  )}
  CREATE INDEX signalled_unended ON signalled (tenant, id) WHERE ended_at IS NULL;
  ${table('transmitter_looked', 'at bigint NOT NULL, PRIMARY KEY (tenant)')}
  ${table(
    'transmitter_seen',
    `kind text NOT NULL, id text NOT NULL, username text NOT NULL, ends_at bigint, detail text NOT NULL,
     PRIMARY KEY (tenant, kind, id)`,
  )}
  ${table(
    'signal_outbox',
    `id bigint GENERATED BY DEFAULT AS IDENTITY, endpoint text NOT NULL, token text NOT NULL, made_at bigint NOT NULL,
     tries integer NOT NULL DEFAULT 0, due_at bigint NOT NULL, PRIMARY KEY (tenant, id)`,
  )}
`;

/** At most one row: whether rows were moved into the tenant, or out of it (`home migrate`). */
const moves = table(
  'moves',
  `state text NOT NULL CHECK (state IN ('arrived', 'left')), at bigint NOT NULL, PRIMARY KEY (tenant)`,
);

/** At most one row: the address at which the home's processes serve it. */
const servedAddress = table('served_address', 'address text NOT NULL, PRIMARY KEY (tenant)');

/** A home's tables: its identity provider, its people and their phones, and the vault. */
export const homeSchema: DatabaseSchema = {
  name: schema,
  migrations: [
    tenancyMigration(schema) + provider + people + grants + approvals + vault + signals + moves + servedAddress,
  ],
};
