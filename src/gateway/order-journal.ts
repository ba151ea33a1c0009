import type Database from 'better-sqlite3-multiple-ciphers';
import type { OrderDraft } from '../trading/order.ts';
import type { Order, Problem } from '../trading/views.ts';

/**
 * Where an order is, as far as we can prove:
 *
 *     intent ──▶ placed      the broker has it
 *       │  ▲ └─▶ rejected    the broker said no, or it can no longer come about
 *       ▼  │
 *     unknown ──▶ placed | rejected
 *
 * `placed` and `rejected` are final. `intent` is written before the broker is called, so an intent found later means
 * that the process died, or another one is at it.
 */
export type JournalState = 'intent' | 'placed' | 'rejected' | 'unknown';

export interface JournalEntry {
  readonly clientOrderId: string;
  readonly digest: string;
  readonly sub: string;
  readonly draft: OrderDraft;
  readonly state: JournalState;
  /** How many times the order went out, or was about to. */
  readonly submissions: number;
  /** When it last went out; null when every time it went out was proved to have come to nothing. */
  readonly submittedAt: number | null;
  /** True once a submission went out while an earlier one might have been taken. */
  readonly ambiguous: boolean;
  /** The first result, for `placed`. */
  readonly order: Order | undefined;
  /** The first result, for `rejected`. */
  readonly problem: Problem | undefined;
}

export interface Claim {
  readonly clientOrderId: string;
  readonly digest: string;
  readonly sub: string;
  /** The approval token's id: usable once. */
  readonly jti: string;
  readonly draft: OrderDraft;
}

/** The record that makes one approval one order. Small on purpose: a Postgres one can take its place. */
export interface OrderJournal {
  find(clientOrderId: string): JournalEntry | undefined;
  /**
   * Uses the approval and writes the intent, in one transaction that is on disk when this returns. `known`: there is
   * an entry for this client_order_id already, and nothing was used.
   */
  claim(claim: Claim, now: number): 'claimed' | 'known' | 'approval_used';
  /**
   * Takes the right to send an unsettled order again. False when anybody else did since `seen` was read.
   */
  reclaim(seen: JournalEntry, now: number): boolean;
  /**
   * The last submission was definitely not taken, and no earlier one can have been. False when somebody else has sent
   * the order since.
   */
  release(clientOrderId: string, now: number): boolean;
  place(clientOrderId: string, order: Order, now: number): void;
  reject(clientOrderId: string, problem: Problem, now: number): void;
  doubt(clientOrderId: string, now: number): void;
}

const SCHEMA_VERSION = 2;

/** @throws {Error} when the database was written by a newer version */
export function createOrderJournal(database: Database.Database): OrderJournal {
  database.pragma('journal_mode = WAL');
  // better-sqlite3 turns to NORMAL under WAL: a commit could be lost with the power, and an approval used twice.
  database.pragma('synchronous = FULL');
  database.pragma('busy_timeout = 5000');
  migrate(database);

  const select = database.prepare('SELECT * FROM gateway_orders WHERE client_order_id = ?');
  const usedBy = database.prepare(
    'SELECT 1 FROM gateway_orders WHERE jti = @jti UNION ALL SELECT 1 FROM gateway_messages WHERE jti = @jti',
  );
  const insert = database.prepare(`
    INSERT INTO gateway_orders
      (client_order_id, digest, sub, jti, draft, state, submissions, submitted_at, ambiguous, created_at, updated_at)
    VALUES (@clientOrderId, @digest, @sub, @jti, @draft, 'intent', 1, @now, 0, @now, @now)`);
  const claim = database.transaction((entry: Claim, now: number) => {
    if (select.get(entry.clientOrderId) !== undefined) return 'known' as const;
    if (usedBy.get({ jti: entry.jti }) !== undefined) return 'approval_used' as const;
    insert.run({ ...entry, draft: JSON.stringify(entry.draft), now });
    return 'claimed' as const;
  });
  // An intent or an unknown with a submission time may have been taken, so whatever goes out now is ambiguous.
  const again = database.prepare(`
    UPDATE gateway_orders
    SET state = 'intent', submissions = submissions + 1, updated_at = @now,
        ambiguous = ambiguous OR submitted_at IS NOT NULL, submitted_at = @now
    WHERE client_order_id = @id AND state IN ('intent', 'unknown') AND submissions = @seen
      AND submitted_at IS @submittedAt`);
  const release = database.prepare(`
    UPDATE gateway_orders SET state = 'intent', submitted_at = NULL, updated_at = @now
    WHERE client_order_id = @id AND state IN ('intent', 'unknown') AND ambiguous = 0`);
  const finish = database.prepare(`
    UPDATE gateway_orders SET state = @state, result = @result, updated_at = @now
    WHERE client_order_id = @id AND state IN ('intent', 'unknown')`);
  const doubt = database.prepare(`
    UPDATE gateway_orders SET state = 'unknown', updated_at = @now WHERE client_order_id = @id AND state = 'intent'`);

  return {
    find(clientOrderId) {
      const row = select.get(clientOrderId) as Row | undefined;
      return row === undefined ? undefined : entryOf(row);
    },
    claim: (entry, now) => claim.immediate(entry, now),
    reclaim: (seen, now) =>
      again.run({ id: seen.clientOrderId, seen: seen.submissions, submittedAt: seen.submittedAt, now })
        .changes === 1,
    release: (id, now) => release.run({ id, now }).changes === 1,
    place: (id, order, now) => void finish.run({ id, state: 'placed', result: JSON.stringify(order), now }),
    reject: (id, problem, now) =>
      void finish.run({ id, state: 'rejected', result: JSON.stringify(problem), now }),
    doubt: (id, now) => void doubt.run({ id, now }),
  };
}

interface Row {
  readonly client_order_id: string;
  readonly digest: string;
  readonly sub: string;
  readonly draft: string;
  readonly state: JournalState;
  readonly submissions: number;
  readonly submitted_at: number | null;
  readonly ambiguous: number;
  readonly result: string | null;
}

function entryOf(row: Row): JournalEntry {
  return {
    clientOrderId: row.client_order_id,
    digest: row.digest,
    sub: row.sub,
    draft: JSON.parse(row.draft) as OrderDraft,
    state: row.state,
    submissions: row.submissions,
    submittedAt: row.submitted_at,
    ambiguous: row.ambiguous === 1,
    order: row.state === 'placed' && row.result !== null ? (JSON.parse(row.result) as Order) : undefined,
    problem:
      row.state === 'rejected' && row.result !== null ? (JSON.parse(row.result) as Problem) : undefined,
  };
}

function migrate(database: Database.Database): void {
  database
    .transaction(() => {
      database.exec('CREATE TABLE IF NOT EXISTS gateway_schema (version INTEGER NOT NULL) STRICT');
      const row = database.prepare('SELECT max(version) AS version FROM gateway_schema').get() as {
        version: number | null;
      };
      const version = row.version ?? 0;
      if (version > SCHEMA_VERSION) {
        throw new Error(
          `the gateway's journal is of version ${version}; this program knows up to ${SCHEMA_VERSION}`,
        );
      }
      if (version < 1) {
        database.exec(`
          CREATE TABLE gateway_orders (
            client_order_id TEXT PRIMARY KEY,
            digest TEXT NOT NULL,
            sub TEXT NOT NULL,
            jti TEXT NOT NULL UNIQUE,
            draft TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('intent', 'placed', 'rejected', 'unknown')),
            submissions INTEGER NOT NULL,
            submitted_at INTEGER,
            ambiguous INTEGER NOT NULL CHECK (ambiguous IN (0, 1)),
            result TEXT,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            CHECK ((state IN ('placed', 'rejected')) = (result IS NOT NULL))
          ) STRICT;
          INSERT INTO gateway_schema (version) VALUES (1);
        `);
      }
      // Messages (messages/message-journal.ts): beside the orders, since both use approvals up.
      if (version < 2) {
        database.exec(`
          CREATE TABLE gateway_messages (
            client_message_id TEXT PRIMARY KEY,
            digest TEXT NOT NULL,
            sub TEXT NOT NULL,
            jti TEXT NOT NULL UNIQUE,
            draft TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('ready', 'intent', 'sent', 'refused', 'unknown')),
            result TEXT,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            CHECK ((state IN ('sent', 'refused')) = (result IS NOT NULL))
          ) STRICT;
          INSERT INTO gateway_schema (version) VALUES (2);
        `);
      }
    })
    .immediate();
}
