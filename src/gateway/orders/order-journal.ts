import type Database from 'better-sqlite3-multiple-ciphers';
import type { OrderDraft } from '../../trading/order.ts';
import type { Order, Problem } from '../../trading/views.ts';

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

/** Whose order, and its id, which is unique among that user's alone: nobody can take another's. */
export interface OrderKey {
  readonly sub: string;
  readonly clientOrderId: string;
}

export interface JournalEntry extends OrderKey {
  readonly digest: string;
  readonly draft: OrderDraft;
  /** The broker's id of the order in whose place this one is put. */
  readonly replaces: string | undefined;
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

export interface Claim extends OrderKey {
  readonly digest: string;
  /** The approval token's id: usable once. */
  readonly jti: string;
  readonly draft: OrderDraft;
  /** The broker's id of the order in whose place this one is put. */
  readonly replaces?: string | undefined;
}

/** The record that makes one approval one order. Small on purpose: a Postgres one can take its place. */
export interface OrderJournal {
  find(sub: string, clientOrderId: string): JournalEntry | undefined;
  /**
   * Uses the approval and writes the intent, in one transaction that is on disk when this returns. `known`: there is
   * an entry for this client_order_id of theirs already, and nothing was used.
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
  release(key: OrderKey, now: number): boolean;
  place(key: OrderKey, order: Order, now: number): void;
  reject(key: OrderKey, problem: Problem, now: number): void;
  doubt(key: OrderKey, now: number): void;
}

const SCHEMA_VERSION = 3;

/** @throws {Error} when the database was written by a newer version */
export function createOrderJournal(database: Database.Database): OrderJournal {
  database.pragma('journal_mode = WAL');
  // better-sqlite3 turns to NORMAL under WAL: a commit could be lost with the power, and an approval used twice.
  database.pragma('synchronous = FULL');
  database.pragma('busy_timeout = 5000');
  migrate(database);

  const select = database.prepare('SELECT * FROM gateway_orders WHERE sub = ? AND client_order_id = ?');
  const usedBy = database.prepare(
    'SELECT 1 FROM gateway_orders WHERE jti = @jti UNION ALL SELECT 1 FROM gateway_messages WHERE jti = @jti',
  );
  const insert = database.prepare(`
    INSERT INTO gateway_orders
      (sub, client_order_id, digest, jti, draft, replaces, state, submissions, submitted_at, ambiguous, created_at,
       updated_at)
    VALUES (@sub, @clientOrderId, @digest, @jti, @draft, @replaces, 'intent', 1, @now, 0, @now, @now)`);
  const claim = database.transaction((entry: Claim, now: number) => {
    if (select.get(entry.sub, entry.clientOrderId) !== undefined) return 'known' as const;
    if (usedBy.get({ jti: entry.jti }) !== undefined) return 'approval_used' as const;
    insert.run({ ...entry, draft: JSON.stringify(entry.draft), replaces: entry.replaces ?? null, now });
    return 'claimed' as const;
  });
  // An intent or an unknown with a submission time may have been taken, so whatever goes out now is ambiguous.
  const again = database.prepare(`
    UPDATE gateway_orders
    SET state = 'intent', submissions = submissions + 1, updated_at = @now,
        ambiguous = ambiguous OR submitted_at IS NOT NULL, submitted_at = @now
    WHERE sub = @sub AND client_order_id = @clientOrderId AND state IN ('intent', 'unknown') AND submissions = @seen
      AND submitted_at IS @submittedAt`);
  const release = database.prepare(`
    UPDATE gateway_orders SET state = 'intent', submitted_at = NULL, updated_at = @now
    WHERE sub = @sub AND client_order_id = @clientOrderId AND state IN ('intent', 'unknown') AND ambiguous = 0`);
  const finish = database.prepare(`
    UPDATE gateway_orders SET state = @state, result = @result, updated_at = @now
    WHERE sub = @sub AND client_order_id = @clientOrderId AND state IN ('intent', 'unknown')`);
  const doubt = database.prepare(`
    UPDATE gateway_orders SET state = 'unknown', updated_at = @now WHERE sub = @sub AND client_order_id = @clientOrderId AND state = 'intent'`);

  return {
    find(sub, clientOrderId) {
      const row = select.get(sub, clientOrderId) as Row | undefined;
      return row === undefined ? undefined : entryOf(row);
    },
    claim: (entry, now) => claim.immediate(entry, now),
    reclaim: (seen, now) =>
      again.run({ ...idOf(seen), seen: seen.submissions, submittedAt: seen.submittedAt, now }).changes === 1,
    release: (key, now) => release.run({ ...idOf(key), now }).changes === 1,
    place: (key, order, now) =>
      void finish.run({ ...idOf(key), state: 'placed', result: JSON.stringify(order), now }),
    reject: (key, problem, now) =>
      void finish.run({ ...idOf(key), state: 'rejected', result: JSON.stringify(problem), now }),
    doubt: (key, now) => void doubt.run({ ...idOf(key), now }),
  };
}

function idOf({ sub, clientOrderId }: OrderKey): OrderKey {
  return { sub, clientOrderId };
}

interface Row {
  readonly client_order_id: string;
  readonly digest: string;
  readonly sub: string;
  readonly draft: string;
  readonly replaces: string | null;
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
    replaces: row.replaces ?? undefined,
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
      // An id is its user's own: with the id alone as the key, whoever came first kept everybody else from using it.
      if (version < 3) {
        database.exec(`
          CREATE TABLE gateway_orders_3 (
            sub TEXT NOT NULL,
            client_order_id TEXT NOT NULL,
            digest TEXT NOT NULL,
            jti TEXT NOT NULL UNIQUE,
            draft TEXT NOT NULL,
            replaces TEXT,
            state TEXT NOT NULL CHECK (state IN ('intent', 'placed', 'rejected', 'unknown')),
            submissions INTEGER NOT NULL,
            submitted_at INTEGER,
            ambiguous INTEGER NOT NULL CHECK (ambiguous IN (0, 1)),
            result TEXT,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            PRIMARY KEY (sub, client_order_id),
            CHECK ((state IN ('placed', 'rejected')) = (result IS NOT NULL))
          ) STRICT;
          INSERT INTO gateway_orders_3
            SELECT sub, client_order_id, digest, jti, draft, NULL, state, submissions, submitted_at, ambiguous, result,
              created_at, updated_at
            FROM gateway_orders;
          DROP TABLE gateway_orders;
          ALTER TABLE gateway_orders_3 RENAME TO gateway_orders;

          CREATE TABLE gateway_messages_3 (
            sub TEXT NOT NULL,
            client_message_id TEXT NOT NULL,
            digest TEXT NOT NULL,
            jti TEXT NOT NULL UNIQUE,
            draft TEXT NOT NULL,
            state TEXT NOT NULL CHECK (state IN ('ready', 'intent', 'sent', 'refused', 'unknown')),
            result TEXT,
            created_at INTEGER NOT NULL,
            updated_at INTEGER NOT NULL,
            PRIMARY KEY (sub, client_message_id),
            CHECK ((state IN ('sent', 'refused')) = (result IS NOT NULL))
          ) STRICT;
          INSERT INTO gateway_messages_3
            SELECT sub, client_message_id, digest, jti, draft, state, result, created_at, updated_at
            FROM gateway_messages;
          DROP TABLE gateway_messages;
          ALTER TABLE gateway_messages_3 RENAME TO gateway_messages;
          INSERT INTO gateway_schema (version) VALUES (3);
        `);
      }
    })
    .immediate();
}
