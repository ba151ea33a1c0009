import { randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Database } from 'better-sqlite3-multiple-ciphers';
import type { Outcome } from '../../approval/ciba/ciba-port.ts';
import type { Clock } from '../../machine/clock.ts';
import type { ClientNote } from '../../store/home/registered-clients.ts';
import type { HttpProblem } from '../../trading/http-problem.ts';

type ApprovalRequestStatus = 'pending' | 'approved' | 'denied' | 'expired' | 'withdrawn';
export type Decision = 'approve' | 'deny';

/** One approval request, pending or decided. Times are in milliseconds since the epoch. */
export interface ApprovalRequest {
  /** Id for the phone, which never learns the `auth_req_id`, because that id gives access to the token. */
  readonly id: string;
  readonly authReqId: string;
  readonly user: string;
  readonly clientId: string;
  readonly clientName: string;
  /** A warning that the client is unverified, and possibly new. Undefined for the home's own clients. */
  readonly clientNote?: ClientNote | undefined;
  readonly code: string;
  readonly bindingMessage: string | undefined;
  readonly details: Readonly<Record<string, unknown>> & { readonly type: string };
  readonly requestedAt: number;
  readonly expiresAt: number;
  readonly decidedAt: number | undefined;
  readonly status: ApprovalRequestStatus;
  /** Set if a newer request for the same proposal replaced this request, so that it doesn't count as denied. */
  readonly replaced?: boolean | undefined;
  readonly outcome: (Outcome & { readonly at: number }) | undefined;
  /** The approval signed with the person's key, if any. It becomes part of the token. */
  readonly evidence: Readonly<Record<string, unknown>> | undefined;
}

/** Result of `decide`. Every outcome except `decided` leaves the request unchanged. */
export type DecisionOutcome =
  | {
      /** `repeated`: the same decision again. `conflict`: the opposite was decided. `withdrawn`: by the client. */
      readonly outcome: 'decided' | 'repeated' | 'conflict' | 'expired' | 'withdrawn';
      readonly request: ApprovalRequest;
    }
  /** The approval has no valid signature made with the person's key. */
  | { readonly outcome: 'not_signed'; readonly refusal: HttpProblem; readonly request: ApprovalRequest }
  | { readonly outcome: 'not_found' };

/** `already_decided`: the client withdrew too late. `not_decided`: it reported an outcome before the decision. */
type ReportResult =
  | { readonly outcome: 'told' | 'already_decided'; readonly request: ApprovalRequest }
  | { readonly outcome: 'not_decided' | 'not_found' };

type NewRequest = Omit<ApprovalRequest, 'id' | 'status' | 'requestedAt' | 'decidedAt' | 'outcome' | 'evidence'>;

export type ApprovalRequests = ReturnType<typeof createApprovalRequests>;

/** Outcomes that withdraw a pending request when its client reports them. */
const WITHDRAWING_STATES: readonly Outcome['state'][] = ['cancelled', 'expired', 'blocked'];
const REPLACED_TEXT = 'the response was lost, so approval was requested again';

/** Stores approval requests and decisions in SQLite. A decision is final and survives a restart. */
export function createApprovalRequests(database: Database, clock: Clock) {
  const rows = openApprovalRequestTable(database);
  const { announce, delivered, ...listening } = createListeners();
  const load = (row: ApprovalRequestRow) => toApprovalRequest(row, clock.now());
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
      rows.lost.run(REPLACED_TEXT, now, user, clientId, proposal);
    }
    rows.insert.run({ ...toColumns(request), id, requestedAt: now });
  });

  /** Records that the client gave up on an approved request, so that the phone no longer shows it as executing. */
  const noteCancelled = (
    { id, user, outcome_state }: ApprovalRequestRow,
    status: ApprovalRequestStatus,
    now: number,
  ) => {
    if (status !== 'approved' || outcome_state !== null) return;
    rows.note.run('cancelled', '', now, id, 'cancelled');
    announce(user);
  };

  return {
    /**
     * Stores a request, replacing an earlier request by the same client for the same proposal. If the earlier request
     * is pending, the client crashed before it stored that request's id, and knows only the new id. If the earlier
     * request was approved without an outcome, its token was lost in transit.
     */
    add(request: NewRequest): ApprovalRequest {
      const id = randomBytes(12).toString('base64url');
      keep.immediate(request, id);
      announce(request.user);
      const added = find(id);
      if (added === undefined) throw new Error('an approval request could not be stored');
      return added;
    },
    find,
    /** Returns the pending requests, oldest first. */
    pending: (user: string, limit = -1) => rows.pending.all(user, clock.now(), limit).map(load),
    /** Counts the pending requests to a person, optionally from one client only. */
    countPending: (user: string, clientId?: string) =>
      (clientId === undefined
        ? rows.countPending.get(user, clock.now())
        : rows.countPendingOf.get(user, clientId, clock.now())
      )?.count ?? 0,
    /**
     * Returns requests that were decided or withdrawn or have expired, latest first. Leaves out replaced requests.
     * @param before the id of a request; only requests that ended before that request are returned
     */
    recent: (user: string, limit: number, before?: string) =>
      rows.recent.all({ user, now: clock.now(), limit, before: before ?? null }).map(load),
    evidenceOf: (authReqId: string): ApprovalRequest['evidence'] =>
      JSON.parse(rows.evidence.get(authReqId)?.evidence ?? 'null') ?? undefined,
    /**
     * Records a final decision. With `user`, only that person's own requests can be decided.
     * @param evidence the verified approval signed with their key
     */
    decide(id: string, decision: Decision, user?: string, evidence?: ApprovalRequest['evidence']): DecisionOutcome {
      const before = find(id);
      if (before === undefined || (user !== undefined && before.user !== user)) return { outcome: 'not_found' };
      const now = clock.now();
      const changed = rows.decide.run(decision, now, toJson(evidence), id, now).changes === 1;
      const request = find(id) ?? before;
      if (changed) {
        announce(request.user);
        return { outcome: 'decided', request };
      }
      return undecidedOutcome(request, decision);
    },
    /**
     * Records the outcome that a client reports for its own request. Withdrawing a pending request is a compare-and-set
     * against `decide`, so that exactly one of the two wins.
     */
    tell(authReqId: string, clientId: string, { state, text }: Outcome): ReportResult {
      const now = clock.now();
      const ends = WITHDRAWING_STATES.includes(state);
      const withdrawn = ends && rows.withdraw.run(now, state, text, now, authReqId, clientId, now).changes === 1;
      const row = rows.byAuthReqId.get(authReqId, clientId);
      if (row === undefined) return { outcome: 'not_found' };
      const { id, user, status } = load(row);
      if (status === 'pending') return { outcome: 'not_decided' };
      if (state === 'cancelled' && (status === 'approved' || status === 'denied')) {
        noteCancelled(row, status, now);
        return { outcome: 'already_decided', request: find(id) ?? load(row) };
      }
      // The other requests were not approved, so only a real outcome is recorded for them.
      if (!withdrawn && (status === 'approved' || !ends)) rows.note.run(state, text, now, id, state);
      announce(user);
      return { outcome: 'told', request: find(id) ?? load(row) };
    },
    /** Returns requests whose decision or withdrawal never reached the provider, because the process crashed. */
    undelivered: () => rows.undelivered.all().map(load),
    /** Records that the provider has the decision, and wakes the polls that wait for it. */
    delivered(id: string): void {
      rows.deliver.run(clock.now(), id);
      const request = find(id);
      if (request !== undefined) delivered(request.authReqId);
    },
    ...listening,
  };
}

function toColumns(request: NewRequest) {
  const { bindingMessage = null, clientNote, details } = request;
  const proposal = typeof details.proposal === 'string' ? details.proposal : null;
  return {
    ...request,
    bindingMessage,
    clientNote: toJson(clientNote),
    details: JSON.stringify(details),
    proposal,
  };
}

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
    /** Calls `listener` after every change to the user's requests, until the returned function is called. */
    onChange: (user: string, listener: () => void) => subscribe(`user:${user}`, listener),
    onAnyChange: (listener: () => void) => subscribe('any', listener),
    onDelivered: (authReqId: string, listener: () => void) => subscribe(`delivered:${authReqId}`, listener),
    waiting: (authReqId: string) => changes.listenerCount(`delivered:${authReqId}`),
  };
}

function toJson(value: unknown): string | null {
  return value === undefined ? null : JSON.stringify(value);
}

function undecidedOutcome(request: ApprovalRequest, decision: Decision): DecisionOutcome {
  if (request.status === 'expired' || request.status === 'withdrawn') {
    return { outcome: request.status, request };
  }
  const same = request.status === (decision === 'approve' ? 'approved' : 'denied');
  return { outcome: same ? 'repeated' : 'conflict', request };
}

function toApprovalRequest(row: ApprovalRequestRow, now: number): ApprovalRequest {
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
    status: requestStatus(row, now),
    replaced: row.replaced === 1,
    evidence: row.evidence === null ? undefined : JSON.parse(row.evidence),
    outcome:
      row.outcome_state === null
        ? undefined
        : { state: row.outcome_state, text: row.outcome_text ?? '', at: row.outcome_at ?? 0 },
  };
}

function requestStatus(row: ApprovalRequestRow, now: number): ApprovalRequestStatus {
  if (row.decision !== null) return row.decision === 'approve' ? 'approved' : 'denied';
  if (row.withdrawn_at !== null) return row.outcome_state === 'expired' ? 'expired' : 'withdrawn';
  return row.expires_at <= now ? 'expired' : 'pending';
}

interface ApprovalRequestRow {
  readonly id: string;
  readonly auth_req_id: string;
  readonly user: string;
  readonly client_id: string;
  readonly client_name: string;
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
  readonly evidence: string | null;
}

function openApprovalRequestTable(database: Database) {
  const open = 'decision IS NULL AND withdrawn_at IS NULL';
  const count = `SELECT count(*) AS count FROM approval_requests WHERE ${open} AND user = ?`;
  const endedAt = 'coalesce(decided_at, withdrawn_at, expires_at)';
  return {
    insert: database.prepare(
      `INSERT INTO approval_requests
         (id, auth_req_id, user, client_id, client_name, client_note, code, binding_message, details, proposal, requested_at, expires_at)
       VALUES (@id, @authReqId, @user, @clientId, @clientName, @clientNote, @code, @bindingMessage, @details, @proposal, @requestedAt, @expiresAt)`,
    ),
    replace: database.prepare<[number, string, string, string]>(
      `UPDATE approval_requests SET withdrawn_at = ?, replaced = 1
       WHERE user = ? AND client_id = ? AND proposal = ? AND ${open}`,
    ),
    lost: database.prepare<[string, number, string, string, string]>(
      `UPDATE approval_requests SET outcome_state = 'cancelled', outcome_text = ?, outcome_at = ?, replaced = 1
       WHERE user = ? AND client_id = ? AND proposal = ? AND decision = 'approve' AND outcome_state IS NULL`,
    ),
    byId: database.prepare<[string], ApprovalRequestRow>('SELECT * FROM approval_requests WHERE id = ?'),
    byAuthReqId: database.prepare<[string, string], ApprovalRequestRow>(
      'SELECT * FROM approval_requests WHERE auth_req_id = ? AND client_id = ?',
    ),
    evidence: database.prepare<[string], Pick<ApprovalRequestRow, 'evidence'>>(
      'SELECT evidence FROM approval_requests WHERE auth_req_id = ?',
    ),
    pending: database.prepare<[string, number, number], ApprovalRequestRow>(
      `SELECT * FROM approval_requests WHERE user = ? AND ${open} AND expires_at > ?
       ORDER BY requested_at, rowid LIMIT ?`,
    ),
    countPending: database.prepare<[string, number], { count: number }>(`${count} AND expires_at > ?`),
    countPendingOf: database.prepare<[string, string, number], { count: number }>(
      `${count} AND client_id = ? AND expires_at > ?`,
    ),
    recent: database.prepare<[{ user: string; now: number; limit: number; before: string | null }], ApprovalRequestRow>(
      `SELECT * FROM approval_requests
       WHERE user = @user AND replaced = 0
         AND (decision IS NOT NULL OR withdrawn_at IS NOT NULL OR expires_at <= @now)
         AND (@before IS NULL OR (${endedAt}, rowid) <
           (SELECT ${endedAt}, rowid FROM approval_requests WHERE id = @before AND user = @user))
       ORDER BY ${endedAt} DESC, rowid DESC LIMIT @limit`,
    ),
    decide: database.prepare<['approve' | 'deny', number, string | null, string, number]>(
      `UPDATE approval_requests SET decision = ?, decided_at = ?, evidence = ? WHERE id = ? AND ${open} AND expires_at > ?`,
    ),
    withdraw: database.prepare<[number, string, string, number, string, string, number]>(
      `UPDATE approval_requests SET withdrawn_at = ?, outcome_state = ?, outcome_text = ?, outcome_at = ?
       WHERE auth_req_id = ? AND client_id = ? AND ${open} AND expires_at > ?`,
    ),
    // A late report of an earlier state never overwrites a final state, and no report overwrites `executed`.
    note: database.prepare<[string, string, number, string, string]>(
      `UPDATE approval_requests SET outcome_state = ?, outcome_text = ?, outcome_at = ?
       WHERE id = ? AND (coalesce(outcome_state, 'executing') IN ('executing', 'unknown', 'cancelled')
         OR CASE ? WHEN 'executed' THEN true WHEN 'executing' THEN false WHEN 'unknown' THEN false
              ELSE outcome_state <> 'executed' END)`,
    ),
    undelivered: database.prepare<[], ApprovalRequestRow>(
      `SELECT * FROM approval_requests
       WHERE delivered_at IS NULL AND (decision IS NOT NULL OR withdrawn_at IS NOT NULL)`,
    ),
    deliver: database.prepare<[number, string]>('UPDATE approval_requests SET delivered_at = ? WHERE id = ?'),
  };
}
