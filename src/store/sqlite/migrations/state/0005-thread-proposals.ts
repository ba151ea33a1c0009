import type Database from 'better-sqlite3-multiple-ciphers';
import { turnOlderApprovals } from './0005-older-approvals.ts';

/** The gateway asks, carries out and keeps the record (thread-proposals.ts). With the table go the sealed tokens. */
export function handOverToGateway(database: Database.Database): void {
  database.exec(`
    CREATE TABLE thread_proposals (
      proposal TEXT PRIMARY KEY,
      thread TEXT NOT NULL REFERENCES threads (id),
      prompt INTEGER NOT NULL,
      tool_call_id TEXT NOT NULL,
      attempt INTEGER NOT NULL,
      last_seen TEXT NOT NULL
    ) STRICT;
    CREATE INDEX thread_proposals_by_thread ON thread_proposals (thread, prompt);
  `);
  turnOlderApprovals(database);
  database.exec('DROP TABLE approvals; DROP TABLE audit_outbox;');
}
