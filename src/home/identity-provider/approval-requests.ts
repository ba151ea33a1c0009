import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { Outcome } from '../../approval/asking-port.ts';
import type { Clock } from '../../machine/clock.ts';
import type { ClientNote } from '../../store/home/registered-clients.ts';
import type { Refusal } from '../../trading/refusal.ts';

type ApprovalRequestStatus = 'pending' | 'approved' | 'denied' | 'expired' | 'withdrawn';
export type Decision = 'approve' | 'deny';

/** What the client told of it, and when (milliseconds since the epoch). */
interface ToldOutcome extends Outcome {
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
  /** Where a person let the client in: what they are to be told of it. Undefined for the home's own. */
  readonly clientNote?: ClientNote | undefined;
  readonly code: string;
  readonly bindingMessage: string | undefined;
  readonly details: Readonly<Record<string, unknown>> & { readonly type: string };
  readonly requestedAt: number;
  readonly expiresAt: number;
  /** When it was decided or withdrawn. */
  readonly decidedAt: number | undefined;
  readonly status: ApprovalRequestStatus;
  /** Another question about the same proposal took its place: nobody refused this one. */
  readonly replaced?: boolean | undefined;
  readonly outcome: ToldOutcome | undefined;
  /** What the person's own key signed, where they approved by it; goes into the approval's token. */
  readonly evidence: Readonly<Record<string, unknown>> | undefined;
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
  /** An approval that the person's own key did not sign, or not rightly: nothing was decided. */
  | { readonly outcome: 'not_signed'; readonly refusal: Refusal; readonly request: ApprovalRequest }
  | { readonly outcome: 'not_found' };

/** What became of a client's word about its request. */
type TellOutcome =
  /** Kept: the phone shows it, or the request went away. */
  | { readonly outcome: 'told'; readonly request: ApprovalRequest }
  /** Withdrawn too late: the person had decided. */
  | { readonly outcome: 'already_decided'; readonly request: ApprovalRequest }
  /** Said to be under way or done, while nobody has decided. */
  | { readonly outcome: 'not_decided' }
  | { readonly outcome: 'not_found' };

/** A request as it is put before a person. */
type NewRequest = Omit<
  ApprovalRequest,
  'id' | 'status' | 'requestedAt' | 'decidedAt' | 'outcome' | 'evidence'
>;

export interface ApprovalRequests {
  /**
   * Keeps a request. One that waits for the same proposal of the same client gives way to it: the client died between
   * the answer and its own row, and knows only the second. So does one that was approved and came to nothing so far: its
   * token was lost on the way.
   */
  add(request: NewRequest): ApprovalRequest;
  find(id: string): ApprovalRequest | undefined;
  /** By the id that the client has of it. */
  evidenceOf(authReqId: string): ApprovalRequest['evidence'];
  /** Oldest first. */
  pending(user: string, limit?: number): ApprovalRequest[];
  /** How many wait for this person, of one client where it is named. */
  countPending(user: string, clientId?: string): number;
  /**
   * Decided, withdrawn or expired, latest first; those that gave way to a second are left out.
   * @param before the id of a request: only what was over before it
   */
  recent(user: string, limit: number, before?: string): ApprovalRequest[];
  /**
   * Records a decision, once and for all. `user` limits it to that person's own requests.
   * @param evidence what their key signed, verified
   */
  decide(
    id: string,
    decision: Decision,
    user?: string,
    evidence?: Readonly<Record<string, unknown>>,
  ): DecisionOutcome;
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
  /** The same for everybody's requests. */
  onAnyChange(listener: () => void): () => void;
  /** Calls `listener` when the provider knows the decision about a CIBA request. */
  onDelivered(authReqId: string, listener: () => void): () => void;
  /** How many listeners wait for the decision about a CIBA request. */
  waiting(authReqId: string): number;
}

const ASKED_AGAIN = 'the answer was lost on its way; it is asked again';

/** The requests and the decisions about them, in SQLite: a decision is final, and survives a restart. */
export function createApprovalRequests(database: Database, clock: Clock): ApprovalRequests {
  const rows = openApprovalRequestTable(database);
  const { announce, delivered, ...listening } = createListeners();
  const load = (row: ApprovalRequestRow) => requestOf(row, clock.now());
  const find = (id: string) => {
    const row = rows.byId.get(id);
    return row === undefined ? undefined : load(row);
  };

  const keep = database.transaction((request: NewRequest, id: string) => {
    const { proposal } = request.details;
    const now = clock.now();
    if (typeof proposal === 'string') {
      const { user, clientId } = request;
      rows.replace.run(now, user, clientId, proposal);
      rows.lost.run(ASKED_AGAIN, now, user, clientId, proposal);
    }
    rows.insert.run({
      ...request,
      id,
      bindingMessage: request.bindingMessage ?? null,
      clientNote: request.clientNote === undefined ? null : JSON.stringify(request.clientNote),
      details: JSON.stringify(request.details),
      proposal: typeof proposal === 'string' ? proposal : null,
      requestedAt: now,
    });
  });

  return {
    add(request) {
      const id = randomBytes(12).toString('base64url');
      keep.immediate(request, id);
      announce(request.user);
      const added = find(id);
      if (added === undefined) throw new Error('an approval request could not be kept');
      return added;
    },
    find,
    pending: (user, limit = -1) => rows.pending.all(user, clock.now(), limit).map(load),
    countPending: (user, clientId) =>
      (clientId === undefined
        ? rows.countPending.get(user, clock.now())
        : rows.countPendingOf.get(user, clientId, clock.now())
      )?.count ?? 0,
    recent: (user, limit, before) =>
      rows.recent.all({ user, now: clock.now(), limit, before: before ?? null }).map(load),
    evidenceOf: (authReqId) => JSON.parse(rows.evidence.get(authReqId)?.evidence ?? 'null') ?? undefined,
    decide(id, decision, user, evidence) {
      const before = find(id);
      if (before === undefined || (user !== undefined && before.user !== user))
        return { outcome: 'not_found' };
      const now = clock.now();
      const changed = rows.decide.run(decision, now, jsonOf(evidence), id, now).changes === 1;
      const request = find(id) ?? before;
      if (changed) {
        announce(request.user);
        return { outcome: 'decided', request };
      }
      return notDecided(request, decision);
    },
    tell(authReqId, clientId, { state, text }) {
      const now = clock.now();
      const ends = state === 'cancelled' || state === 'expired' || state === 'blocked';
      const withdrawn =
        ends && rows.withdraw.run(now, state, text, now, authReqId, clientId, now).changes === 1;
      const row = rows.byAuthReqId.get(authReqId, clientId);
      if (row === undefined) return { outcome: 'not_found' };
      const { id, user, status } = load(row);
      const decided = status === 'approved' || status === 'denied';
      if (status === 'pending') return { outcome: 'not_decided' };
      if (decided && state === 'cancelled') {
        // The client carries nothing out, as far as it knew: the phone must not go on saying that it is on its way.
        if (status === 'approved' && row.outcome_state === null) {
          rows.note.run(state, '', now, id, state);
          announce(user);
        }
        return { outcome: 'already_decided', request: find(id) ?? load(row) };
      }
      // Nothing was to come of the others, so only what did is news.
      if (!withdrawn && (status === 'approved' || !ends)) rows.note.run(state, text, now, id, state);
      announce(user);
      return { outcome: 'told', request: find(id) ?? load(row) };
    },
    undelivered: () => rows.undelivered.all().map(load),
    delivered(id) {
      rows.deliver.run(clock.now(), id);
      const request = find(id);
      if (request !== undefined) delivered(request.authReqId);
    },
    ...listening,
  };
}

/** Whoever waits for a change. */
function createListeners() {
  const changes = new EventEmitter();
  changes.setMaxListeners(0);
  const subscribe = (event: string, listener: () => void) => {
    changes.on(event, listener);
    return () => void changes.off(event, listener);
  };
  return {
    announce: (user: string) => {
      changes.emit(`user:${user}`);
      changes.emit('any');
    },
    delivered: (authReqId: string) => void changes.emit(`delivered:${authReqId}`),
    onChange: (user: string, listener: () => void) => subscribe(`user:${user}`, listener),
    onAnyChange: (listener: () => void) => subscribe('any', listener),
    onDelivered: (authReqId: string, listener: () => void) => subscribe(`delivered:${authReqId}`, listener),
    waiting: (authReqId: string) => changes.listenerCount(`delivered:${authReqId}`),
  };
}

function jsonOf(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

/** What a decision came to that changed nothing. */
function notDecided(request: ApprovalRequest, decision: Decision): DecisionOutcome {
  if (request.status === 'expired' || request.status === 'withdrawn') {
    return { outcome: request.status, request };
  }
  const same = request.status === (decision === 'approve' ? 'approved' : 'denied');
  return { outcome: same ? 'repeated' : 'conflict', request };
}

function requestOf(row: ApprovalRequestRow, now: number): ApprovalRequest {
  return {
    id: row.id,
    authReqId: row.auth_req_id,
    user: row.user,
    clientId: row.client_id,
    clientName: row.client_name,
    clientNote: row.client_note === null ? undefined : JSON.parse(row.client_note),
    code: row.code,
    bindingMessage: row.binding_message ?? undefined,
    details: JSON.parse(row.details),
    requestedAt: row.requested_at,
    expiresAt: row.expires_at,
    decidedAt: row.decided_at ?? row.withdrawn_at ?? undefined,
    status: statusOf(row, now),
    replaced: row.replaced === 1,
    evidence: row.evidence === null ? undefined : JSON.parse(row.evidence),
    outcome:
      row.outcome_state === null
        ? undefined
        : { state: row.outcome_state, text: row.outcome_text ?? '', at: row.outcome_at ?? 0 },
  };
}

function statusOf(row: ApprovalRequestRow, now: number): ApprovalRequestStatus {
  if (row.decision !== null) return row.decision === 'approve' ? 'approved' : 'denied';
  if (row.withdrawn_at !== null) return row.outcome_state === 'expired' ? 'expired' : 'withdrawn';
  return row.expires_at <= now ? 'expired' : 'pending';
}

/** Times are milliseconds since the epoch. */
interface ApprovalRequestRow {
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
function openApprovalRequestTable(database: Database) {
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
