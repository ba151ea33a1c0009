import { DECIDED, OPEN, TOLD } from '../../../rows/proposal-states.ts';

/** Proposals and halts. They may be there: before they were numbered here, they had a version of their own. */
export const sql = `
  CREATE TABLE IF NOT EXISTS proposals (
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
    auth_req_id TEXT UNIQUE,
    notification_token TEXT,
    poll_interval INTEGER NOT NULL,
    asked INTEGER NOT NULL DEFAULT 0,
    sealed_token BLOB,
    token_expires_at INTEGER,
    result TEXT,
    reason TEXT,
    -- Up to which of its versions the phone was told what became of it.
    told INTEGER NOT NULL DEFAULT 0,
    UNIQUE (sub, subject_id)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS proposals_of_person ON proposals (sub, created_at);
  CREATE INDEX IF NOT EXISTS proposals_asked ON proposals (sub, client, typed, created_at);
  CREATE INDEX IF NOT EXISTS proposals_decided ON proposals (sub, client, updated_at) WHERE state IN (${DECIDED});
  CREATE INDEX IF NOT EXISTS proposals_alike ON proposals (sub, fingerprint, created_at);
  CREATE INDEX IF NOT EXISTS proposals_changed ON proposals (sub, version);
  CREATE INDEX IF NOT EXISTS proposals_open ON proposals (sub, client, typed, state) WHERE state IN (${OPEN});
  CREATE INDEX IF NOT EXISTS proposals_untold ON proposals (version)
    WHERE auth_req_id IS NOT NULL AND told < version AND state IN (${TOLD});
  CREATE TABLE IF NOT EXISTS proposal_keys (
    sub TEXT NOT NULL,
    client TEXT NOT NULL,
    key TEXT NOT NULL,
    request TEXT NOT NULL,
    proposal TEXT NOT NULL REFERENCES proposals (id),
    PRIMARY KEY (sub, client, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS halts (
    sub TEXT PRIMARY KEY,
    halted_at INTEGER NOT NULL,
    by_client TEXT NOT NULL
  ) STRICT;
`;
