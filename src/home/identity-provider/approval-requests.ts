import { createHash, randomBytes } from 'node:crypto';
import { EventEmitter } from 'node:events';
import type { Outcome } from '../../approval/ciba/ciba-port.ts';
import type { Clock } from '../../machine/clock.ts';
import { createClaims } from '../../store/home/claims.ts';
import type { ClientNote } from '../../store/home/registered-clients.ts';
import type { OtherProcesses } from '../../store/other-processes.ts';
import { lock, one, run, type SqlTransactions, type TransactionWork } from '../../store/sql/sql-database.ts';
import type { HttpProblem } from '../../trading/http-problem.ts';
import { defined } from '../../values/defined.ts';

type ApprovalRequestStatus = 'pending' | 'approved' | 'denied' | 'expired' | 'withdrawn';
export type Decision = 'approve' | 'deny';

/** One approval request, pending or decided. Times are in milliseconds since the epoch. */
export interface ApprovalRequest {
  /** ID for the phone. The phone never receives the `auth_req_id`, because that ID gives access to the token. */
  readonly id: string;
  readonly authReqId: string;
  readonly user: string;
  readonly clientId: string;
  readonly clientName: string;
  /** A note that the client is unverified, and possibly new. Undefined for the home's own clients. */
  readonly clientNote?: ClientNote | undefined;
  readonly code: string;
  readonly bindingMessage: string | undefined;
  readonly details: Readonly<Record<string, unknown>> & { readonly type: string };
  readonly requestedAt: number;
  readonly expiresAt: number;
  readonly decidedAt: number | undefined;
  readonly status: ApprovalRequestStatus;
  /** True if a newer request for the same proposal replaced this one. A replaced request doesn't count as denied. */
  readonly replaced?: boolean | undefined;
  readonly outcome: (Outcome & { readonly at: number }) | undefined;
  /** The approval signed with the person's key, if any. It becomes part of the token. */
  readonly evidence: Readonly<Record<string, unknown>> | undefined;
}

/** Result of `decide`. Every outcome except `decided` leaves the request unchanged. */
export type DecisionOutcome =
  | {
      /** `repeated`: decided the same way before. `conflict`: decided the other way. `withdrawn`: by the client. */
      readonly outcome: 'decided' | 'repeated' | 'conflict' | 'expired' | 'withdrawn';
      readonly request: ApprovalRequest;
    }
  /** The approval has no valid signature made with the person's key. */
  | { readonly outcome: 'not_signed'; readonly refusal: HttpProblem; readonly request: ApprovalRequest }
  | { readonly outcome: 'not_found' };

/** `already_decided`: withdrawn after the decision. `not_decided`: an outcome was reported before any decision. */
type ReportResult =
  | { readonly outcome: 'told' | 'already_decided'; readonly request: ApprovalRequest }
  | { readonly outcome: 'not_decided' | 'not_found' };

type NewRequest = Omit<ApprovalRequest, 'id' | 'status' | 'requestedAt' | 'decidedAt' | 'outcome' | 'evidence'>;

export type ApprovalRequests = ReturnType<typeof createApprovalRequests>;

/** Outcomes that withdraw a pending request when its client reports them. */
const WITHDRAWING_STATES: readonly Outcome['state'][] = ['cancelled', 'expired', 'blocked'];
const REPLACED_TEXT = 'the response was lost, so approval was requested again';

/**
 * Stores approval requests and decisions. A decision is final and survives a restart.
 * @param others the other processes that use the database, if any
 */
export function createApprovalRequests(database: SqlTransactions, clock: Clock, others?: OtherProcesses) {
  const { announce, announceDelivery, ...listening } = createListeners(others);
  const load = (row: ApprovalRequestRow) => toApprovalRequest(row, clock.now());
  const find = async (id: string) => {
    const row = await database.one<ApprovalRequestRow>(BY_ID, { id });
    return row && load(row);
  };

  return {
    /**
     * Stores a request, which replaces an earlier request by the same client for the same proposal. If the earlier
     * request is pending, the client crashed before it stored that request's ID, and knows only the new ID. If the
     * earlier request was approved but has no outcome, its token was lost in transit.
     * @param most maximum number of the client's pending requests to this person
     * @throws {TooManyPendingError} if the client already has that many; nothing is stored
     */
    async add(request: NewRequest, most = Number.MAX_SAFE_INTEGER): Promise<ApprovalRequest> {
      const id = randomBytes(12).toString('base64url');
      const row = await database.write(() => insertRequest(request, id, { most, now: clock.now() }));
      announce(request.user);
      return load(row);
    },
    find,
    /** Returns the pending requests, oldest first. */
    async pending(user: string, limit = Number.MAX_SAFE_INTEGER): Promise<ApprovalRequest[]> {
      const rows = await database.all<ApprovalRequestRow>(
        `SELECT * FROM approval_requests WHERE username = @user AND ${OPEN} AND expires_at > @now
         ORDER BY requested_at, ${database.dialect.place} LIMIT @limit`,
        { user, now: clock.now(), limit },
      );
      return rows.map(load);
    },
    /** Counts a person's pending requests. */
    async countPending(user: string): Promise<number> {
      const row = await database.one<{ count: number }>(COUNT_PENDING, { user, now: clock.now() });
      return row?.count ?? 0;
    },
    /**
     * Returns requests that were decided or withdrawn or have expired, latest first. Leaves out replaced requests.
     * @param before a request's ID, to return only requests that ended before that request
     */
    async recent(user: string, limit: number, before?: string): Promise<ApprovalRequest[]> {
      const order = `${ENDED_AT}, ${database.dialect.place}`;
      const rows = await database.all<ApprovalRequestRow>(
        `SELECT * FROM approval_requests
         WHERE username = @user AND replaced = 0
           AND (decision IS NOT NULL OR withdrawn_at IS NOT NULL OR expires_at <= @now)
           ${before === undefined ? '' : `AND (${order}) < (SELECT ${order} FROM approval_requests WHERE id = @before AND username = @user)`}
         ORDER BY ${ENDED_AT} DESC, ${database.dialect.place} DESC LIMIT @limit`,
        { user, now: clock.now(), limit, ...defined({ before }) },
      );
      return rows.map(load);
    },
    async evidenceOf(authReqId: string): Promise<ApprovalRequest['evidence']> {
      const row = await database.one<Pick<ApprovalRequestRow, 'evidence'>>(
        'SELECT evidence FROM approval_requests WHERE auth_req_id = @authReqId',
        { authReqId },
      );
      return JSON.parse(row?.evidence ?? 'null') ?? undefined;
    },
    /**
     * Records a final decision. If `user` is given, only that person's own requests can be decided.
     * @param evidence the verified approval, signed with the person's key
     */
    async decide(
      id: string,
      decision: Decision,
      user?: string,
      evidence?: ApprovalRequest['evidence'],
    ): Promise<DecisionOutcome> {
      const now = clock.now();
      const isTheirs = user === undefined ? '' : 'AND username = @user';
      const { isDecided, row } = await database.write(function* () {
        const changed = yield* run(
          `UPDATE approval_requests SET decision = @decision, decided_at = @now, evidence = @evidence
           WHERE id = @id ${isTheirs} AND ${OPEN} AND expires_at > @now`,
          { id, decision, now, evidence: toJson(evidence), ...defined({ user }) },
        );
        return { isDecided: changed === 1, row: yield* one<ApprovalRequestRow>(BY_ID, { id }) };
      });
      if (row === undefined || (user !== undefined && row.username !== user)) return { outcome: 'not_found' };
      const request = load(row);
      if (!isDecided) return undecidedOutcome(request, decision);
      announce(request.user);
      return { outcome: 'decided', request };
    },
    /**
     * Records the outcome that a client reports for its own request. Both this function and `decide` use a
     * compare-and-set, so that only one of them changes a pending request.
     */
    async tell(authReqId: string, clientId: string, outcome: Outcome): Promise<ReportResult> {
      const now = clock.now();
      const { result, row } = await database.write(() => reportOutcome({ authReqId, clientId, outcome, now }));
      if (row === undefined) return { outcome: 'not_found' };
      if (result === 'not_decided') return { outcome: result };
      announce(row.username);
      return { outcome: result, request: load(row) };
    },
    ...createDeliveries(database, { load, others, now: () => clock.now(), announceDelivery }),
    ...listening,
  };
}

/** Stores whether the provider has received each decision, and which process is delivering it. */
function createDeliveries(
  database: SqlTransactions,
  parts: {
    readonly load: (row: ApprovalRequestRow) => ApprovalRequest;
    readonly others: OtherProcesses | undefined;
    readonly now: () => number;
    readonly announceDelivery: (user: string, authReqId: string) => void;
  },
) {
  const { load, others, now, announceDelivery } = parts;
  const { claim, hold } = createClaims(database, 'approval_requests', 'id', now);
  const claimUndelivered = (id: string) =>
    database.write(function* () {
      if (others !== undefined && !(yield* claim(id, UNDELIVERED))) return undefined;
      return yield* one<ApprovalRequestRow>(`${BY_ID} AND ${UNDELIVERED}`, { id });
    });
  return {
    /** Returns the ids of requests whose decision or withdrawal has not reached the provider yet. */
    async undelivered(): Promise<string[]> {
      const rows = await database.all<{ id: string }>(`SELECT id FROM approval_requests WHERE ${UNDELIVERED}`);
      return rows.map(({ id }) => id);
    },
    /**
     * Delivers a decision or withdrawal to the provider, and wakes the polls that wait for it. Does nothing if it was
     * already delivered, or if another process is delivering it. If that process crashes, a later call delivers it.
     */
    async deliverOnce(id: string, deliver: (request: ApprovalRequest) => Promise<void>): Promise<void> {
      const row = await claimUndelivered(id);
      if (row === undefined) return;
      await hold(id, () => deliver(load(row)));
      await database.run('UPDATE approval_requests SET delivered_at = @now WHERE id = @id', { id, now: now() });
      announceDelivery(row.username, row.auth_req_id);
    },
    async isDelivered(authReqId: string): Promise<boolean> {
      const row = await database.one(
        'SELECT id FROM approval_requests WHERE auth_req_id = @authReqId AND delivered_at IS NOT NULL',
        { authReqId },
      );
      return row !== undefined;
    },
  };
}

const OPEN = 'decision IS NULL AND withdrawn_at IS NULL';
const UNDELIVERED = 'delivered_at IS NULL AND (decision IS NOT NULL OR withdrawn_at IS NOT NULL)';
const ENDED_AT = 'coalesce(decided_at, withdrawn_at, expires_at)';
const BY_ID = 'SELECT * FROM approval_requests WHERE id = @id';

const COUNT_PENDING = `SELECT count(*) AS count FROM approval_requests WHERE username = @user AND ${OPEN} AND expires_at > @now`;

/** Thrown if a client has the maximum number of pending requests to a person. */
export class TooManyPendingError extends Error {}

function* insertRequest(
  request: NewRequest,
  id: string,
  { most, now }: { readonly most: number; readonly now: number },
): TransactionWork<ApprovalRequestRow> {
  const { user, clientId, details } = request;
  const proposal = typeof details.proposal === 'string' ? details.proposal : null;
  // Without this lock, two concurrent requests together could exceed the limit.
  yield* lock('approval requests', clientId, user);
  if (proposal !== null) {
    const same = { user, clientId, proposal, now };
    // Without this lock, two processes' requests for the same proposal would not replace each other.
    yield* lock('approval request', clientId, proposal);
    yield* run(
      `UPDATE approval_requests SET withdrawn_at = @now, replaced = 1
       WHERE username = @user AND client_id = @clientId AND proposal = @proposal AND ${OPEN}`,
      same,
    );
    yield* run(
      `UPDATE approval_requests SET outcome_state = 'cancelled', outcome_text = @text, outcome_at = @now, replaced = 1
       WHERE username = @user AND client_id = @clientId AND proposal = @proposal AND decision = 'approve'
         AND outcome_state IS NULL`,
      { ...same, text: REPLACED_TEXT },
    );
  }
  const pending = yield* one<{ count: number }>(`${COUNT_PENDING} AND client_id = @clientId`, { user, clientId, now });
  if ((pending?.count ?? 0) >= most) throw new TooManyPendingError('the client has too many pending requests');
  yield* run(
    `INSERT INTO approval_requests (id, auth_req_id, username, client_id, client_name, client_note, code,
       binding_message, details, proposal, requested_at, expires_at)
     VALUES (@id, @authReqId, @user, @clientId, @clientName, @clientNote, @code,
       @bindingMessage, @details, @proposal, @now, @expiresAt)`,
    {
      id,
      authReqId: request.authReqId,
      user,
      clientId,
      clientName: request.clientName,
      clientNote: toJson(request.clientNote),
      code: request.code,
      bindingMessage: request.bindingMessage ?? null,
      details: JSON.stringify(details),
      proposal,
      now,
      expiresAt: request.expiresAt,
    },
  );
  const row = yield* one<ApprovalRequestRow>(BY_ID, { id });
  if (row === undefined) throw new Error('an approval request could not be stored');
  return row;
}

interface ReportedOutcome {
  readonly authReqId: string;
  readonly clientId: string;
  readonly outcome: Outcome;
  readonly now: number;
}

function* reportOutcome({ authReqId, clientId, outcome: { state, text }, now }: ReportedOutcome): TransactionWork<{
  readonly result: 'told' | 'already_decided' | 'not_decided';
  readonly row?: ApprovalRequestRow | undefined;
}> {
  const read = () =>
    one<ApprovalRequestRow>(
      'SELECT * FROM approval_requests WHERE auth_req_id = @authReqId AND client_id = @clientId',
      { authReqId, clientId },
    );
  const ends = WITHDRAWING_STATES.includes(state);
  const withdrawn =
    ends &&
    (yield* run(
      `UPDATE approval_requests SET withdrawn_at = @now, outcome_state = @state, outcome_text = @text, outcome_at = @now
       WHERE auth_req_id = @authReqId AND client_id = @clientId AND ${OPEN} AND expires_at > @now`,
      { authReqId, clientId, state, text, now },
    )) === 1;
  const row = yield* read();
  if (row === undefined) return { result: 'told' };
  const status = requestStatus(row, now);
  if (status === 'pending') return { result: 'not_decided', row };
  if (state === 'cancelled' && (status === 'approved' || status === 'denied')) {
    // The client abandoned this request. Without an outcome, the phone would show it as executing.
    if (status === 'approved' && row.outcome_state === null) yield* noteOutcome(row.id, { state, text: '' }, now);
    return { result: 'already_decided', row: yield* read() };
  }
  // A request that was not approved has already ended, so a withdrawing state would add nothing.
  if (!withdrawn && (status === 'approved' || !ends)) yield* noteOutcome(row.id, { state, text }, now);
  return { result: 'told', row: yield* read() };
}

/** Records an outcome. A late report never overwrites a final state, and no report overwrites `executed`. */
const noteOutcome = (id: string, { state, text }: Outcome, now: number) =>
  run(
    `UPDATE approval_requests SET outcome_state = @state, outcome_text = @text, outcome_at = @now
     WHERE id = @id AND (coalesce(outcome_state, 'executing') IN ('executing', 'unknown', 'cancelled')
       OR CASE @state WHEN 'executed' THEN true WHEN 'executing' THEN false WHEN 'unknown' THEN false
            ELSE outcome_state <> 'executed' END)`,
    { id, state, text, now },
  );

/** Creates the listeners of this process. They also receive changes that other processes made. */
function createListeners(others: OtherProcesses | undefined) {
  const changes = new EventEmitter();
  changes.setMaxListeners(0);
  const listen = (event: string, listener: () => void) => {
    changes.on(event, listener);
    return () => void changes.off(event, listener);
  };
  const emit = (user: string, delivered?: string) => {
    changes.emit(`user:${user}`);
    changes.emit('any');
    if (delivered !== undefined) changes.emit(`delivered:${delivered}`);
  };
  const unsubscribe = others?.subscribe((news) => {
    if (news === 'missed') for (const event of changes.eventNames()) changes.emit(event);
    else if ('requestsOf' in news) emit(news.requestsOf, news.delivered);
  });
  const announce = (user: string, delivered?: string) => {
    emit(user, delivered);
    others?.notify({ requestsOf: user, ...defined({ delivered }) });
  };
  return {
    announce: (user: string) => announce(user),
    announceDelivery: (user: string, authReqId: string) => announce(user, digest(authReqId)),
    /** Calls `listener` after every change to the user's requests, until the returned function is called. */
    onChange: (user: string, listener: () => void) => listen(`user:${user}`, listener),
    onAnyChange: (listener: () => void) => listen('any', listener),
    onDelivered: (authReqId: string, listener: () => void) => listen(`delivered:${digest(authReqId)}`, listener),
    waiting: (authReqId: string) => changes.listenerCount(`delivered:${digest(authReqId)}`),
    close: () => unsubscribe?.(),
  };
}

/** Hashes the ID, because it gives access to a token and must not be sent to other processes. */
function digest(authReqId: string): string {
  return createHash('sha256').update(authReqId).digest('base64url');
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
    user: row.username,
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
  readonly username: string;
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
