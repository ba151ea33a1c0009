import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { Clock } from '../../trading/clock.ts';

export type ApprovalRequestStatus = 'pending' | 'approved' | 'denied' | 'expired';
export type Decision = 'approve' | 'deny';

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
  readonly decidedAt: number | undefined;
  readonly status: ApprovalRequestStatus;
}

/** What became of a decision; only `decided` changed anything. */
export type DecisionOutcome =
  | { readonly outcome: 'decided'; readonly request: ApprovalRequest }
  /** The same decision again: a double tap. */
  | { readonly outcome: 'repeated'; readonly request: ApprovalRequest }
  /** Already decided the other way. */
  | { readonly outcome: 'conflict'; readonly request: ApprovalRequest }
  | { readonly outcome: 'expired'; readonly request: ApprovalRequest }
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
}

export interface ApprovalRequests {
  add(request: Omit<ApprovalRequest, 'id' | 'status' | 'requestedAt' | 'decidedAt'>): ApprovalRequest;
  find(id: string): ApprovalRequest | undefined;
  /** Oldest first. */
  pending(user: string): ApprovalRequest[];
  /** Decided or expired, latest first. */
  recent(user: string, limit: number): ApprovalRequest[];
  /** Records a decision, once and for all. `user` limits it to that person's own requests. */
  decide(id: string, decision: Decision, user?: string): DecisionOutcome;
  /** Decisions the provider was not told of yet: the process died in between. */
  undelivered(): (ApprovalRequest & { readonly status: 'approved' | 'denied' })[];
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
  const insert = database.prepare(
    `INSERT INTO approval_requests
       (id, auth_req_id, user, client_id, client_name, code, binding_message, details, requested_at, expires_at)
     VALUES (@id, @authReqId, @user, @clientId, @clientName, @code, @bindingMessage, @details, @requestedAt, @expiresAt)`,
  );
  const byId = database.prepare<[string], Row>('SELECT * FROM approval_requests WHERE id = ?');
  const pending = database.prepare<[string, number], Row>(
    `SELECT * FROM approval_requests WHERE user = ? AND decision IS NULL AND expires_at > ?
     ORDER BY requested_at, rowid`,
  );
  const recent = database.prepare<[string, number, number], Row>(
    `SELECT * FROM approval_requests WHERE user = ? AND (decision IS NOT NULL OR expires_at <= ?)
     ORDER BY coalesce(decided_at, expires_at) DESC, rowid DESC LIMIT ?`,
  );
  const decide = database.prepare<[Decision, number, string, number]>(
    `UPDATE approval_requests SET decision = ?, decided_at = ?
     WHERE id = ? AND decision IS NULL AND expires_at > ?`,
  );
  const undelivered = database.prepare<[], Row>(
    'SELECT * FROM approval_requests WHERE decision IS NOT NULL AND delivered_at IS NULL',
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
    decidedAt: row.decided_at ?? undefined,
    status:
      row.decision === 'approve'
        ? 'approved'
        : row.decision === 'deny'
          ? 'denied'
          : row.expires_at <= clock.now()
            ? 'expired'
            : 'pending',
  });
  const find = (id: string) => {
    const row = byId.get(id);
    return row === undefined ? undefined : load(row);
  };

  return {
    add(request) {
      const id = randomBytes(12).toString('base64url');
      insert.run({
        ...request,
        id,
        bindingMessage: request.bindingMessage ?? null,
        details: JSON.stringify(request.details),
        requestedAt: clock.now(),
      });
      changes.emit(`user:${request.user}`);
      const added = find(id);
      if (added === undefined) throw new Error('an approval request could not be kept');
      return added;
    },
    find,
    pending: (user) => pending.all(user, clock.now()).map(load),
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
      if (request.status === 'expired') return { outcome: 'expired', request };
      const same = request.status === (decision === 'approve' ? 'approved' : 'denied');
      return { outcome: same ? 'repeated' : 'conflict', request };
    },
    undelivered: () =>
      undelivered.all().map((row) => {
        const status = row.decision === 'approve' ? ('approved' as const) : ('denied' as const);
        return { ...load(row), status };
      }),
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
