import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { Outcome } from '../../approval/asking.ts';
import type { Clock } from '../../trading/clock.ts';

export type ApprovalRequestStatus = 'pending' | 'approved' | 'denied' | 'expired' | 'withdrawn';
export type Decision = 'approve' | 'deny';

/** What the client told of it, and when (milliseconds since the epoch). */
export interface ToldOutcome extends Outcome {
  readonly at: number;
}

/** One order waiting for, or decided by, its owner. Times are milliseconds since the epoch. */
export interface ApprovalRequest {
  /** The phone's own name for it: the `auth_req_id` is the client's key to the token and stays out of the phone. */
  readonly id: string;
  readonly authReqId: string;
  readonly user: string;
  readonly clientId: string;
  readonly clientName: string;
  readonly code: string;
  readonly bindingMessage: string | undefined;
  readonly details: Readonly<Record<string, unknown>> & { readonly type: string };
  readonly requestedAt: number;
  readonly expiresAt: number;
  /** When it was decided or withdrawn. */
  readonly decidedAt: number | undefined;
  readonly status: ApprovalRequestStatus;
  readonly outcome: ToldOutcome | undefined;
}

/** What became of a decision; only `decided` changed anything. */
export type DecisionOutcome =
  | { readonly outcome: 'decided'; readonly request: ApprovalRequest }
  /** The same decision again: a double tap. */
  | { readonly outcome: 'repeated'; readonly request: ApprovalRequest }
  /** Already decided the other way. */
  | { readonly outcome: 'conflict'; readonly request: ApprovalRequest }
  | { readonly outcome: 'expired'; readonly request: ApprovalRequest }
  /** The client took it back first. */
  | { readonly outcome: 'withdrawn'; readonly request: ApprovalRequest }
  | { readonly outcome: 'not_found' };

/** What became of a client's word about its request. */
export type TellOutcome =
  /** Kept: the phone shows it, or the request went away. */
  | { readonly outcome: 'told'; readonly request: ApprovalRequest }
  /** Withdrawn too late: the person had decided. */
  | { readonly outcome: 'already_decided'; readonly request: ApprovalRequest }
  /** Said to be under way or done, while nobody has decided. */
  | { readonly outcome: 'not_decided' }
  | { readonly outcome: 'not_found' };

interface Row {
  readonly id: string;
  readonly auth_req_id: string;
  readonly user: string;
  readonly client_id: string;
  readonly client_name: string;
  readonly code: string;
  readonly binding_message: string | null;
  readonly details: string;
  readonly requested_at: number;
  readonly expires_at: number;
  readonly decision: Decision | null;
  readonly decided_at: number | null;
  readonly withdrawn_at: number | null;
  readonly outcome_state: Outcome['state'] | null;
  readonly outcome_text: string | null;
  readonly outcome_at: number | null;
}

/** A request as it is put before a person. */
export type NewRequest = Omit<ApprovalRequest, 'id' | 'status' | 'requestedAt' | 'decidedAt' | 'outcome'>;

export interface ApprovalRequests {
  /**
   * Keeps a request. One that waits for the same proposal of the same client gives way to it: the client died between
   * the answer and its own row, and knows only the second.
   */
  add(request: NewRequest): ApprovalRequest;
  find(id: string): ApprovalRequest | undefined;
  /** Oldest first. */
  pending(user: string, limit?: number): ApprovalRequest[];
  /** How many wait for this person, of one client where it is named. */
  countPending(user: string, clientId?: string): number;
  /** Decided, withdrawn or expired, latest first; those that gave way to a second are left out. */
  recent(user: string, limit: number): ApprovalRequest[];
  /** Records a decision, once and for all. `user` limits it to that person's own requests. */
  decide(id: string, decision: Decision, user?: string): DecisionOutcome;
  /**
   * The client's word about a request of its own. One that waits is withdrawn by `cancelled`, `expired` and
   * `blocked`: a compare-and-set against {@link decide}, so that one of the two wins.
   */
  tell(authReqId: string, clientId: string, outcome: Outcome): TellOutcome;
  /** Decisions and withdrawals the provider was not told of yet: the process died in between. */
  undelivered(): ApprovalRequest[];
  /** Notes that the provider knows the decision, and wakes whoever polls for it. */
  delivered(id: string): void;
  /** Calls `listener` after every change to the user's requests, until the returned function is called. */
  onChange(user: string, listener: () => void): () => void;
  /** Calls `listener` when the provider knows the decision about a CIBA request. */
  onDelivered(authReqId: string, listener: () => void): () => void;
  /** How many listeners wait for the decision about a CIBA request. */
  waiting(authReqId: string): number;
}

/** The requests and the decisions about them, in SQLite: a decision is final, and survives a restart. */
export function createApprovalRequests(database: Database, clock: Clock): ApprovalRequests {
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
       (id, auth_req_id, user, client_id, client_name, code, binding_message, details, proposal, requested_at, expires_at)
     VALUES (@id, @authReqId, @user, @clientId, @clientName, @code, @bindingMessage, @details, @proposal, @requestedAt, @expiresAt)`,
  );
  const open = 'decision IS NULL AND withdrawn_at IS NULL';
  const replace = database.prepare<[number, string, string, string]>(
    `UPDATE approval_requests SET withdrawn_at = ?, replaced = 1
     WHERE user = ? AND client_id = ? AND proposal = ? AND ${open}`,
  );
  const byId = database.prepare<[string], Row>('SELECT * FROM approval_requests WHERE id = ?');
  const byAuthReqId = database.prepare<[string, string], Row>(
    'SELECT * FROM approval_requests WHERE auth_req_id = ? AND client_id = ?',
  );
  const pending = database.prepare<[string, number, number], Row>(
    `SELECT * FROM approval_requests WHERE user = ? AND ${open} AND expires_at > ?
     ORDER BY requested_at, rowid LIMIT ?`,
  );
  const countPending = database.prepare<[string, number, string | null, string | null], { count: number }>(
    `SELECT count(*) AS count FROM approval_requests
     WHERE user = ? AND ${open} AND expires_at > ? AND (? IS NULL OR client_id = ?)`,
  );
  const recent = database.prepare<[string, number, number], Row>(
    `SELECT * FROM approval_requests
     WHERE user = ? AND replaced = 0 AND (decision IS NOT NULL OR withdrawn_at IS NOT NULL OR expires_at <= ?)
     ORDER BY coalesce(decided_at, withdrawn_at, expires_at) DESC, rowid DESC LIMIT ?`,
  );
  const decide = database.prepare<[Decision, number, string, number]>(
    `UPDATE approval_requests SET decision = ?, decided_at = ? WHERE id = ? AND ${open} AND expires_at > ?`,
  );
  const withdraw = database.prepare<[number, string, string, number, string, string, number]>(
    `UPDATE approval_requests SET withdrawn_at = ?, outcome_state = ?, outcome_text = ?, outcome_at = ?
     WHERE auth_req_id = ? AND client_id = ? AND ${open} AND expires_at > ?`,
  );
  // What is certain is not overtaken by an earlier word that arrives late.
  const note = database.prepare<[string, string, number, string, string]>(
    `UPDATE approval_requests SET outcome_state = ?, outcome_text = ?, outcome_at = ?
     WHERE id = ? AND (coalesce(outcome_state, 'executing') IN ('executing', 'unknown')
       OR ? NOT IN ('executing', 'unknown'))`,
  );
  const undelivered = database.prepare<[], Row>(
    `SELECT * FROM approval_requests
     WHERE delivered_at IS NULL AND (decision IS NOT NULL OR withdrawn_at IS NOT NULL)`,
  );
  const deliver = database.prepare<[number, string]>(
    'UPDATE approval_requests SET delivered_at = ? WHERE id = ?',
  );

  const changes = new EventEmitter();
  changes.setMaxListeners(0);
  const subscribe = (event: string, listener: () => void) => {
    changes.on(event, listener);
    return () => void changes.off(event, listener);
  };

  const load = (row: Row): ApprovalRequest => ({
    id: row.id,
    authReqId: row.auth_req_id,
    user: row.user,
    clientId: row.client_id,
    clientName: row.client_name,
    code: row.code,
    bindingMessage: row.binding_message ?? undefined,
    details: JSON.parse(row.details),
    requestedAt: row.requested_at,
    expiresAt: row.expires_at,
    decidedAt: row.decided_at ?? row.withdrawn_at ?? undefined,
    status: statusOf(row, clock.now()),
    outcome:
      row.outcome_state === null
        ? undefined
        : { state: row.outcome_state, text: row.outcome_text ?? '', at: row.outcome_at ?? 0 },
  });
  const find = (id: string) => {
    const row = byId.get(id);
    return row === undefined ? undefined : load(row);
  };

  const keep = database.transaction((request: NewRequest, id: string) => {
    const { proposal } = request.details;
    const now = clock.now();
    if (typeof proposal === 'string') replace.run(now, request.user, request.clientId, proposal);
    insert.run({
      ...request,
      id,
      bindingMessage: request.bindingMessage ?? null,
      details: JSON.stringify(request.details),
      proposal: typeof proposal === 'string' ? proposal : null,
      requestedAt: now,
    });
  });

  return {
    add(request) {
      const id = randomBytes(12).toString('base64url');
      keep.immediate(request, id);
      changes.emit(`user:${request.user}`);
      const added = find(id);
      if (added === undefined) throw new Error('an approval request could not be kept');
      return added;
    },
    find,
    pending: (user, limit = -1) => pending.all(user, clock.now(), limit).map(load),
    countPending: (user, clientId) =>
      countPending.get(user, clock.now(), clientId ?? null, clientId ?? null)?.count ?? 0,
    recent: (user, limit) => recent.all(user, clock.now(), limit).map(load),
    decide(id, decision, user) {
      const before = find(id);
      if (before === undefined || (user !== undefined && before.user !== user))
        return { outcome: 'not_found' };
      const now = clock.now();
      const changed = decide.run(decision, now, id, now).changes === 1;
      const request = find(id) ?? before;
      if (changed) {
        changes.emit(`user:${request.user}`);
        return { outcome: 'decided', request };
      }
      if (request.status === 'expired' || request.status === 'withdrawn') {
        return { outcome: request.status, request };
      }
      const same = request.status === (decision === 'approve' ? 'approved' : 'denied');
      return { outcome: same ? 'repeated' : 'conflict', request };
    },
    tell(authReqId, clientId, { state, text }) {
      const now = clock.now();
      const ends = state === 'cancelled' || state === 'expired' || state === 'blocked';
      const withdrawn = ends && withdraw.run(now, state, text, now, authReqId, clientId, now).changes === 1;
      const row = byAuthReqId.get(authReqId, clientId);
      if (row === undefined) return { outcome: 'not_found' };
      const { id, user, status } = load(row);
      const decided = status === 'approved' || status === 'denied';
      if (status === 'pending') return { outcome: 'not_decided' };
      if (decided && state === 'cancelled') return { outcome: 'already_decided', request: load(row) };
      // Nothing was to come of the others, so only what did is news.
      if (!withdrawn && (status === 'approved' || !ends)) note.run(state, text, now, id, state);
      changes.emit(`user:${user}`);
      return { outcome: 'told', request: find(id) ?? load(row) };
    },
    undelivered: () => undelivered.all().map(load),
    delivered(id) {
      deliver.run(clock.now(), id);
      const request = find(id);
      if (request !== undefined) changes.emit(`delivered:${request.authReqId}`);
    },
    onChange: (user, listener) => subscribe(`user:${user}`, listener),
    onDelivered: (authReqId, listener) => subscribe(`delivered:${authReqId}`, listener),
    waiting: (authReqId) => changes.listenerCount(`delivered:${authReqId}`),
  };
}

function statusOf(row: Row, now: number): ApprovalRequestStatus {
  if (row.decision !== null) return row.decision === 'approve' ? 'approved' : 'denied';
  if (row.withdrawn_at !== null) return row.outcome_state === 'expired' ? 'expired' : 'withdrawn';
  return row.expires_at <= now ? 'expired' : 'pending';
}

/** A table made before requests could be withdrawn gains what it lacks. */
function addColumns(database: Database): void {
  const there = new Set(
    (database.pragma('table_info(approval_requests)') as { name: string }[]).map(({ name }) => name),
  );
  const columns = {
    proposal: 'TEXT',
    withdrawn_at: 'INTEGER',
    replaced: 'INTEGER NOT NULL DEFAULT 0',
    outcome_state: 'TEXT',
    outcome_text: 'TEXT',
    outcome_at: 'INTEGER',
  };
  for (const [name, type] of Object.entries(columns)) {
    if (!there.has(name)) database.exec(`ALTER TABLE approval_requests ADD COLUMN ${name} ${type}`);
  }
  database.exec(`
    CREATE INDEX IF NOT EXISTS approval_requests_open ON approval_requests (user, requested_at)
      WHERE decision IS NULL AND withdrawn_at IS NULL;
    CREATE INDEX IF NOT EXISTS approval_requests_proposal ON approval_requests (proposal)
      WHERE proposal IS NOT NULL AND decision IS NULL AND withdrawn_at IS NULL;
    CREATE INDEX IF NOT EXISTS approval_requests_undelivered ON approval_requests (id)
      WHERE delivered_at IS NULL AND (decision IS NOT NULL OR withdrawn_at IS NOT NULL);
  `);
}
