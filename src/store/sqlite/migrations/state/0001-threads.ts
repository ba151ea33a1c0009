/** Threads, and what the agent asked for by itself. */
export const sql = `
  CREATE TABLE threads (
    id TEXT PRIMARY KEY,
    profile TEXT NOT NULL,
    sub TEXT,
    title TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'running',
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    lease_owner TEXT,
    lease_epoch INTEGER NOT NULL DEFAULT 0,
    lease_until INTEGER NOT NULL DEFAULT 0
  ) STRICT;
  CREATE TABLE approvals (
    id TEXT PRIMARY KEY,
    thread TEXT NOT NULL REFERENCES threads (id),
    prompt INTEGER NOT NULL,
    tool_call_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    profile TEXT NOT NULL,
    sub TEXT NOT NULL,
    status TEXT NOT NULL,
    draft TEXT NOT NULL,
    digest TEXT NOT NULL,
    code TEXT NOT NULL,
    client_order_id TEXT NOT NULL UNIQUE,
    expires_at INTEGER NOT NULL,
    auth_req_id TEXT,
    poll_interval INTEGER,
    asked INTEGER NOT NULL DEFAULT 0,
    sealed_token BLOB,
    token_expires_at INTEGER,
    placed TEXT,
    reason_code TEXT,
    reason TEXT,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    lease_owner TEXT,
    lease_epoch INTEGER NOT NULL DEFAULT 0,
    lease_until INTEGER NOT NULL DEFAULT 0,
    UNIQUE (thread, tool_call_id, attempt)
  ) STRICT;
  CREATE INDEX approvals_by_thread ON approvals (thread, prompt);
`;
