import type Database from 'better-sqlite3-multiple-ciphers';
import type { ProposalState } from '../trading/proposal.ts';
import { openStates } from './states.ts';

/** What the phone is told of, for queries: what it doesn't know by itself, as it does a denial. */
export const toldStates = ['executed', 'cancelled', 'expired', 'blocked', 'unknown'] as const;

const SCHEMA_VERSION = 1;

/** What the person has had their say about. */
export const decidedStates: readonly ProposalState[] = [
  'denied',
  'executed',
  'approved',
  'executing',
  'unknown',
];

/** As in a condition: SQLite takes an index of some states only for the very same list of them. */
export function namesOf(states: readonly ProposalState[]): string {
  return states.map((state) => `'${state}'`).join(', ');
}

/** @throws {Error} where the database was written by a newer version */
export function createProposalTables(database: Database.Database): void {
  database
    .transaction(() => {
      database.exec('CREATE TABLE IF NOT EXISTS approval_schema (version INTEGER NOT NULL) STRICT');
      const { version } = database
        .prepare<[], { version: number }>('SELECT coalesce(max(version), 0) AS version FROM approval_schema')
        .get() ?? { version: 0 };
      if (version > SCHEMA_VERSION) {
        throw new Error(
          `the gateway's proposals are of version ${version}; this program knows up to ${SCHEMA_VERSION}`,
        );
      }
      if (version < 1) {
        const open = namesOf(openStates);
        const decided = namesOf(decidedStates);
        database.exec(`
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
          CREATE INDEX proposals_of_person ON proposals (sub, created_at);
          CREATE INDEX proposals_asked ON proposals (sub, client, typed, created_at);
          CREATE INDEX proposals_decided ON proposals (sub, client, updated_at) WHERE state IN (${decided});
          CREATE INDEX proposals_alike ON proposals (sub, fingerprint, created_at);
          CREATE INDEX proposals_changed ON proposals (sub, version);
          CREATE INDEX proposals_open ON proposals (sub, client, typed, state) WHERE state IN (${open});
          CREATE INDEX proposals_untold ON proposals (version)
            WHERE auth_req_id IS NOT NULL AND told < version AND state IN (${namesOf(toldStates)});
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
          INSERT INTO approval_schema (version) VALUES (1);
        `);
      }
    })
    .immediate();
}
