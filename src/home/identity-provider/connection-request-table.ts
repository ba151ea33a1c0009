import type { Database } from 'better-sqlite3-multiple-ciphers';

export type ConnectionOutcome = 'connected' | 'denied' | 'failed';

/** Ticket and auth session as digests only. */
export interface ConnectionRequestRow {
  ticket: string;
  auth_session: string;
  user: string;
  client: string;
  device: string | null;
  connection: string;
  scopes: string;
  state: string;
  verifier: string;
  expires_at: number;
  outcome: ConnectionOutcome | null;
}

/** The wishes to connect an account, in SQLite. */
export function openConnectionRequestTable(database: Database) {
  database.exec(`
    CREATE TABLE IF NOT EXISTS connection_requests (
      ticket TEXT PRIMARY KEY,
      auth_session TEXT NOT NULL UNIQUE,
      user TEXT NOT NULL,
      connection TEXT NOT NULL,
      scopes TEXT NOT NULL,
      state TEXT NOT NULL UNIQUE,
      verifier TEXT NOT NULL,
      expires_at INTEGER NOT NULL,
      answered INTEGER NOT NULL DEFAULT 0,
      outcome TEXT CHECK (outcome IN ('connected', 'denied', 'failed'))
    ) STRICT;
  `);
  const columns = database.pragma('table_info(connection_requests)') as { name: string }[];
  if (!columns.some(({ name }) => name === 'client')) {
    // A table from before: its requests are over in ten minutes.
    const widen = database.transaction(() =>
      database.exec(`
        DELETE FROM connection_requests;
        ALTER TABLE connection_requests ADD COLUMN client TEXT NOT NULL DEFAULT '';
        ALTER TABLE connection_requests ADD COLUMN device TEXT;
      `),
    );
    widen.immediate();
  }
  const select = (column: 'ticket' | 'auth_session' | 'state') =>
    database.prepare<[string], ConnectionRequestRow>(`SELECT * FROM connection_requests WHERE ${column} = ?`);
  return {
    byTicket: select('ticket'),
    byAuthSession: select('auth_session'),
    byState: select('state'),
    insert: database.prepare(
      `INSERT INTO connection_requests (ticket, auth_session, user, client, device, connection, scopes, state, verifier, expires_at)
     VALUES (@ticket, @authSession, @user, @client, @device, @connection, @scopes, @state, @verifier, @expiresAt)`,
    ),
    forget: database.prepare<[number]>('DELETE FROM connection_requests WHERE expires_at < ?'),
    settle: database.prepare<[ConnectionOutcome, string]>(
      'UPDATE connection_requests SET outcome = ? WHERE ticket = ?',
    ),
    /** The state is used up by the first answer that brings it, whatever comes of that. */
    claim: database.prepare<[string, number]>(
      'UPDATE connection_requests SET answered = 1 WHERE ticket = ? AND answered = 0 AND expires_at > ?',
    ),
  };
}
