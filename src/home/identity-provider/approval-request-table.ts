import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { Outcome } from '../../approval/asking-port.ts';

/** Times are milliseconds since the epoch. */
export interface ApprovalRequestRow {
  readonly id: string;
  readonly auth_req_id: string;
  readonly user: string;
  readonly client_id: string;
  readonly client_name: string;
  /** JSON. */
  readonly client_note: string | null;
  readonly code: string;
  readonly binding_message: string | null;
  readonly details: string;
  readonly requested_at: number;
  readonly expires_at: number;
  readonly decision: 'approve' | 'deny' | null;
  readonly decided_at: number | null;
  readonly withdrawn_at: number | null;
  readonly replaced: 0 | 1;
  readonly outcome_state: Outcome['state'] | null;
  readonly outcome_text: string | null;
  readonly outcome_at: number | null;
  /** JSON. */
  readonly evidence: string | null;
}

/** Opens the table of approval requests, and prepares all that is asked of it. */
export function openApprovalRequestTable(database: Database) {
  database.exec(`
    CREATE TABLE IF NOT EXISTS approval_requests (
      id TEXT PRIMARY KEY,
      auth_req_id TEXT NOT NULL UNIQUE,
      user TEXT NOT NULL,
      client_id TEXT NOT NULL,
      client_name TEXT NOT NULL,
      code TEXT NOT NULL,
      binding_message TEXT,
      details TEXT NOT NULL,
      requested_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL,
      decision TEXT CHECK (decision IN ('approve', 'deny')),
      decided_at INTEGER,
      delivered_at INTEGER
    ) STRICT;
    CREATE INDEX IF NOT EXISTS approval_requests_user ON approval_requests (user, requested_at);
  `);
  addColumns(database);
  const insert = database.prepare(
    `INSERT INTO approval_requests
       (id, auth_req_id, user, client_id, client_name, client_note, code, binding_message, details, proposal, requested_at, expires_at)
     VALUES (@id, @authReqId, @user, @clientId, @clientName, @clientNote, @code, @bindingMessage, @details, @proposal, @requestedAt, @expiresAt)`,
  );
  const open = 'decision IS NULL AND withdrawn_at IS NULL';
  const replace = database.prepare<[number, string, string, string]>(
    `UPDATE approval_requests SET withdrawn_at = ?, replaced = 1
     WHERE user = ? AND client_id = ? AND proposal = ? AND ${open}`,
  );
  const lost = database.prepare<[string, number, string, string, string]>(
    `UPDATE approval_requests SET outcome_state = 'cancelled', outcome_text = ?, outcome_at = ?, replaced = 1
     WHERE user = ? AND client_id = ? AND proposal = ? AND decision = 'approve' AND outcome_state IS NULL`,
  );
  const byId = database.prepare<[string], ApprovalRequestRow>('SELECT * FROM approval_requests WHERE id = ?');
  const byAuthReqId = database.prepare<[string, string], ApprovalRequestRow>(
    'SELECT * FROM approval_requests WHERE auth_req_id = ? AND client_id = ?',
  );
  const evidence = database.prepare<[string], Pick<ApprovalRequestRow, 'evidence'>>(
    'SELECT evidence FROM approval_requests WHERE auth_req_id = ?',
  );
  const pending = database.prepare<[string, number, number], ApprovalRequestRow>(
    `SELECT * FROM approval_requests WHERE user = ? AND ${open} AND expires_at > ?
     ORDER BY requested_at, rowid LIMIT ?`,
  );
  const count = `SELECT count(*) AS count FROM approval_requests WHERE ${open} AND user = ?`;
  const countPending = database.prepare<[string, number], { count: number }>(`${count} AND expires_at > ?`);
  const countPendingOf = database.prepare<[string, string, number], { count: number }>(
    `${count} AND client_id = ? AND expires_at > ?`,
  );
  const recent = endedRequests(database);
  const decide = database.prepare<['approve' | 'deny', number, string | null, string, number]>(
    `UPDATE approval_requests SET decision = ?, decided_at = ?, evidence = ? WHERE id = ? AND ${open} AND expires_at > ?`,
  );
  const withdraw = database.prepare<[number, string, string, number, string, string, number]>(
    `UPDATE approval_requests SET withdrawn_at = ?, outcome_state = ?, outcome_text = ?, outcome_at = ?
     WHERE auth_req_id = ? AND client_id = ? AND ${open} AND expires_at > ?`,
  );
  // What is certain is not overtaken by an earlier word that arrives late; that it was carried out, by none at all.
  const note = database.prepare<[string, string, number, string, string]>(
    `UPDATE approval_requests SET outcome_state = ?, outcome_text = ?, outcome_at = ?
     WHERE id = ? AND (coalesce(outcome_state, 'executing') IN ('executing', 'unknown', 'cancelled')
       OR CASE ? WHEN 'executed' THEN true WHEN 'executing' THEN false WHEN 'unknown' THEN false
            ELSE outcome_state <> 'executed' END)`,
  );
  const undelivered = database.prepare<[], ApprovalRequestRow>(
    `SELECT * FROM approval_requests
     WHERE delivered_at IS NULL AND (decision IS NOT NULL OR withdrawn_at IS NOT NULL)`,
  );
  const deliver = database.prepare<[number, string]>(
    'UPDATE approval_requests SET delivered_at = ? WHERE id = ?',
  );
  return {
    insert,
    replace,
    lost,
    byId,
    byAuthReqId,
    evidence,
    pending,
    countPending,
    countPendingOf,
    recent,
    decide,
    withdraw,
    note,
    undelivered,
    deliver,
  };
}

/** What is over, latest first; from where a page of it ended. */
function endedRequests(database: Database) {
  const endedAt = 'coalesce(decided_at, withdrawn_at, expires_at)';
  return database.prepare<
    [{ user: string; now: number; limit: number; before: string | null }],
    ApprovalRequestRow
  >(
    `SELECT * FROM approval_requests
     WHERE user = @user AND replaced = 0
       AND (decision IS NOT NULL OR withdrawn_at IS NOT NULL OR expires_at <= @now)
       AND (@before IS NULL OR (${endedAt}, rowid) <
         (SELECT ${endedAt}, rowid FROM approval_requests WHERE id = @before AND user = @user))
     ORDER BY ${endedAt} DESC, rowid DESC LIMIT @limit`,
  );
}

/** A table made before requests could be withdrawn gains what it lacks. */
function addColumns(database: Database): void {
  const there = new Set(
    (database.pragma('table_info(approval_requests)') as { name: string }[]).map(({ name }) => name),
  );
  const columns = {
    proposal: 'TEXT',
    client_note: 'TEXT',
    withdrawn_at: 'INTEGER',
    replaced: 'INTEGER NOT NULL DEFAULT 0',
    outcome_state: 'TEXT',
    outcome_text: 'TEXT',
    outcome_at: 'INTEGER',
    evidence: 'TEXT',
  };
  for (const [name, type] of Object.entries(columns)) {
    if (!there.has(name)) database.exec(`ALTER TABLE approval_requests ADD COLUMN ${name} ${type}`);
  }
  database.exec(`
    CREATE INDEX IF NOT EXISTS approval_requests_open ON approval_requests (user, requested_at)
      WHERE decision IS NULL AND withdrawn_at IS NULL;
    CREATE INDEX IF NOT EXISTS approval_requests_count ON approval_requests (user, client_id, expires_at)
      WHERE decision IS NULL AND withdrawn_at IS NULL;
    CREATE INDEX IF NOT EXISTS approval_requests_proposal ON approval_requests (proposal)
      WHERE proposal IS NOT NULL AND decision IS NULL AND withdrawn_at IS NULL;
    CREATE INDEX IF NOT EXISTS approval_requests_lost ON approval_requests (proposal)
      WHERE proposal IS NOT NULL AND decision = 'approve' AND outcome_state IS NULL;
    CREATE INDEX IF NOT EXISTS approval_requests_undelivered ON approval_requests (id)
      WHERE delivered_at IS NULL AND (decision IS NOT NULL OR withdrawn_at IS NOT NULL);
  `);
}
