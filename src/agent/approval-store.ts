import { approvalCode } from '../trading/approval-details.ts';
import type { Clock } from '../trading/clock.ts';
import { type ErrorCode, TradeAgentError } from '../trading/errors.ts';
import {
  type MessageDraft,
  messageDraftSchema,
  type SentMessage,
  sentMessageSchema,
} from '../trading/message.ts';
import { type OrderDraft, orderDraftSchema } from '../trading/order.ts';
import { type Order, orderSchema } from '../trading/views.ts';
import { auditEvent, isSettled, transitions } from './approval-states.ts';
import { isMessageDraft, subjectDigest, subjectId } from './approval-subject.ts';
import type { AuditLog } from './audit-log.ts';
import { createCancelWatch } from './cancel-watch.ts';
import type { ApprovalStatus, ApprovalView } from './events.ts';
import { isGone } from './holder.ts';
import { shortId } from './short-id.ts';
import type { StateDatabase } from './state-database.ts';
import type { TokenSeal } from './token-seal.ts';

/** What all approvals have. Times are milliseconds since the epoch, the interval is seconds. */
interface ApprovalBase {
  readonly id: string;
  readonly thread: string;
  /** Which prompt of the thread it belongs to, counted from 1. */
  readonly prompt: number;
  readonly toolCallId: string;
  readonly attempt: number;
  readonly profile: string;
  readonly sub: string;
  readonly status: ApprovalStatus;
  readonly digest: string;
  readonly code: string;
  /** The earlier of the order's own deadline and the identity provider's. */
  readonly expiresAt: number;
  readonly authReqId: string | undefined;
  readonly interval: number;
  /** When a wait that ended undecided last polled; another goes on from there. Milliseconds since the epoch. */
  readonly polledAt: number | undefined;
  /** How often the person was asked. */
  readonly asked: number;
  readonly hasToken: boolean;
  readonly tokenExpiresAt: number | undefined;
  readonly reasonCode: ErrorCode | undefined;
  readonly reason: string | undefined;
  readonly epoch: number;
}

/** The approval of an order. */
export interface OrderApproval extends ApprovalBase {
  readonly kind: 'order';
  readonly draft: OrderDraft;
  readonly placed: Order | undefined;
}

/** The approval of a message. */
export interface MessageApproval extends ApprovalBase {
  readonly kind: 'message';
  readonly draft: MessageDraft;
  readonly sent: SentMessage | undefined;
}

/** One approval as the agent keeps it. */
export type Approval = OrderApproval | MessageApproval;

export interface ApprovalKey {
  readonly thread: string;
  readonly toolCallId: string;
  readonly attempt: number;
}

/** What may change along with a status. A token is sealed before it reaches the disk. */
export interface ApprovalChanges {
  readonly authReqId?: string;
  readonly interval?: number;
  readonly expiresAt?: number;
  readonly token?: { readonly value: string; readonly expiresAt: number };
  readonly placed?: Order;
  readonly sent?: SentMessage;
  readonly reason?: { readonly code: ErrorCode; readonly text: string };
}

/** `moved` is false when the row was elsewhere already: `approval` then tells where. */
export interface Move<A extends Approval = Approval> {
  readonly moved: boolean;
  readonly approval: A;
}

/**
 * Where approvals are kept. The one place that changes an approval's status, and notes each change for the audit log in
 * the same transaction.
 */
export interface ApprovalStore<A extends Approval = Approval> {
  /**
   * Writes a `drafted` approval, or returns the one already there for the key.
   * @param mayWrite throws where the run no longer holds the thread; asked within the transaction. A row of a run that
   *   was overtaken would belong to a call that the conversation has left behind, and nobody would ever settle it.
   */
  draft(
    key: ApprovalKey & { readonly prompt: number; readonly profile: string; readonly sub: string },
    draft: A['draft'],
    mayWrite: () => void,
  ): A;
  find(key: ApprovalKey): A | undefined;
  get(id: string): A | undefined;
  list(filter: { profile: string; sub?: string; thread?: string; prompt?: number }): A[];
  /**
   * Compare-and-set: moves to `to` only where the status now stored allows it. `from` narrows that to one status;
   * `epoch` holds out whoever lost the lease meanwhile, `authReqId` an answer to an earlier question.
   */
  move(
    id: string,
    to: ApprovalStatus,
    changes?: ApprovalChanges,
    guard?: { readonly from?: ApprovalStatus; readonly epoch?: number; readonly authReqId?: string },
  ): Move<A>;
  /** Seconds between polls from now on, after the provider asked to slow down. */
  setInterval(id: string, seconds: number): void;
  /** Notes when it was last polled for, milliseconds since the epoch, where it is still undecided. */
  setPolled(id: string, at: number): void;
  /** Notes what became of an order already executed (a later fill). */
  updatePlaced(id: string, placed: Order): A;
  /** Takes the right to carry out the order, raising the epoch; undefined while another holds it. */
  lease(id: string, holder: string, ttlMs: number): A | undefined;
  release(id: string, holder: string): void;
  /** Calls back once when the approval is found cancelled, by whomever. Returns how to stop. */
  watchCancelled(id: string, cancelled: () => void): () => void;
  /** The sealed token. @throws {TradeAgentError} `state_corrupt` */
  token(id: string): string | undefined;
}

interface Row {
  id: string;
  thread: string;
  prompt: number;
  tool_call_id: string;
  attempt: number;
  profile: string;
  sub: string;
  status: ApprovalStatus;
  kind: Approval['kind'];
  draft: string;
  digest: string;
  code: string;
  expires_at: number;
  auth_req_id: string | null;
  poll_interval: number | null;
  polled_at: number | null;
  asked: number;
  sealed_token: Buffer | null;
  token_expires_at: number | null;
  placed: string | null;
  reason_code: ErrorCode | null;
  reason: string | null;
  lease_owner: string | null;
  lease_epoch: number;
  lease_until: number;
}

/** Seconds between polls where the provider names none (CIBA Core §7.3). */
const DEFAULT_INTERVAL = 5;

export function createApprovalStore(
  database: StateDatabase,
  seal: TokenSeal,
  clock: Clock,
  audit: Pick<AuditLog, 'note'>,
): ApprovalStore {
  const byId = database.prepare<[string], Row>('SELECT * FROM approvals WHERE id = ?');
  const byKey = database.prepare<[string, string, number], Row>(
    'SELECT * FROM approvals WHERE thread = ? AND tool_call_id = ? AND attempt = ?',
  );
  const cancels = createCancelWatch(database, clock);
  const sealContext = (row: Row) => `${row.id} ${row.digest}`;

  const existing = (id: string): Row => {
    const row = byId.get(id);
    if (row !== undefined) return row;
    throw new TradeAgentError('not_found', `there is no approval ${id}`, {
      hint: 'List them with "trade-agent approvals".',
    });
  };

  const store: ApprovalStore = {
    draft(key, draft, mayWrite) {
      const insert = database.transaction(() => {
        const found = byKey.get(key.thread, key.toolCallId, key.attempt);
        if (found !== undefined) return read(found);
        mayWrite();
        const id = shortId('ap_', 8);
        const digest = subjectDigest(draft);
        const now = clock.now();
        database
          .prepare(
            `INSERT INTO approvals (id, thread, prompt, tool_call_id, attempt, profile, sub, status, kind, draft,
               digest, code, client_order_id, expires_at, created_at, updated_at)
             VALUES (?, ?, ?, ?, ?, ?, ?, 'drafted', ?, ?, ?, ?, ?, ?, ?, ?)`,
          )
          .run(
            id,
            key.thread,
            key.prompt,
            key.toolCallId,
            key.attempt,
            key.profile,
            key.sub,
            isMessageDraft(draft) ? 'message' : 'order',
            JSON.stringify(draft),
            digest,
            approvalCode(digest),
            subjectId(draft),
            Date.parse(draft.expires_at),
            now,
            now,
          );
        const drafted = read(existing(id));
        audit.note('proposed', drafted);
        return drafted;
      });
      return insert.immediate();
    },

    find(key) {
      const row = byKey.get(key.thread, key.toolCallId, key.attempt);
      return row === undefined ? undefined : read(row);
    },

    get(id) {
      const row = byId.get(id);
      return row === undefined ? undefined : read(row);
    },

    list({ profile, sub, thread, prompt }) {
      // Named one by one: a condition that may be switched off would keep SQLite from using an index.
      const filter = Object.entries({ profile, sub, thread, prompt }).filter(
        ([, value]) => value !== undefined,
      );
      const conditions = filter.map(([column]) => `${column} = ?`).join(' AND ');
      return database
        .prepare<unknown[], Row>(`SELECT * FROM approvals WHERE ${conditions} ORDER BY created_at, rowid`)
        .all(...filter.map(([, value]) => value))
        .map(read);
    },

    move(id, to, changes = {}, guard = {}) {
      const change = database.transaction((): Move => {
        const row = existing(id);
        const allowed =
          transitions[row.status].includes(to) &&
          (guard.from === undefined || guard.from === row.status) &&
          (guard.epoch === undefined || guard.epoch === row.lease_epoch) &&
          (guard.authReqId === undefined || guard.authReqId === row.auth_req_id);
        if (!allowed) return { moved: false, approval: read(row) };
        const changed = changes.placed ?? changes.sent;
        const again = to === 'drafted';
        const erase = isSettled(to) || again;
        database
          .prepare(
            `UPDATE approvals SET status = @to, auth_req_id = @authReqId, poll_interval = @interval,
               expires_at = @expiresAt, asked = @asked, polled_at = NULL, sealed_token = @sealed, token_expires_at = @tokenExpiresAt,
               placed = @placed, reason_code = @reasonCode, reason = @reason, updated_at = @now
             WHERE id = @id`,
          )
          .run({
            id,
            to,
            authReqId: erase ? null : (changes.authReqId ?? row.auth_req_id),
            interval: changes.interval ?? row.poll_interval,
            expiresAt: changes.expiresAt ?? row.expires_at,
            asked: to === 'requested' ? row.asked + 1 : row.asked,
            sealed: erase
              ? null
              : changes.token === undefined
                ? row.sealed_token
                : seal.seal(changes.token.value, sealContext(row)),
            tokenExpiresAt: erase ? null : (changes.token?.expiresAt ?? row.token_expires_at),
            placed: changed === undefined ? row.placed : JSON.stringify(changed),
            reasonCode: changes.reason?.code ?? null,
            reason: changes.reason?.text ?? null,
            now: clock.now(),
          });
        const approval = read(existing(id));
        const event = auditEvent(row.status, to);
        if (event !== undefined) audit.note(event, approval);
        return { moved: true, approval };
      });
      return change.immediate();
    },

    setInterval(id, seconds) {
      database.prepare('UPDATE approvals SET poll_interval = ? WHERE id = ?').run(seconds, id);
    },

    setPolled(id, at) {
      database
        .prepare(`UPDATE approvals SET polled_at = ? WHERE id = ? AND status = 'requested'`)
        .run(at, id);
    },

    updatePlaced(id, placed) {
      database
        .prepare(`UPDATE approvals SET placed = ?, updated_at = ? WHERE id = ? AND status = 'executed'`)
        .run(JSON.stringify(placed), clock.now(), id);
      return read(existing(id));
    },

    lease(id, holder, ttlMs) {
      const take = database.transaction((): Approval | undefined => {
        const row = existing(id);
        const now = clock.now();
        const free =
          row.lease_owner === null ||
          row.lease_owner === holder ||
          row.lease_until <= now ||
          isGone(row.lease_owner);
        if (!free) return undefined;
        database
          .prepare(
            'UPDATE approvals SET lease_owner = ?, lease_epoch = lease_epoch + 1, lease_until = ? WHERE id = ?',
          )
          .run(holder, now + ttlMs, id);
        return read(existing(id));
      });
      return take.immediate();
    },

    release(id, holder) {
      try {
        database
          .prepare(
            'UPDATE approvals SET lease_owner = NULL, lease_until = 0 WHERE id = ? AND lease_owner = ?',
          )
          .run(id, holder);
      } catch {
        // A busy database must not cost the order its result: the lease runs out by itself.
      }
    },

    watchCancelled: (id, cancelled) => cancels.watch(id, cancelled),

    token(id) {
      const row = existing(id);
      return row.sealed_token === null ? undefined : seal.open(row.sealed_token, sealContext(row));
    },
  };
  return store;
}

/** @throws {TradeAgentError} `state_corrupt` for a row whose order is not the one that was digested */
function read(row: Row): Approval {
  const json: unknown = JSON.parse(row.draft);
  const draft = row.kind === 'message' ? messageDraftSchema.parse(json) : orderDraftSchema.parse(json);
  if (subjectDigest(draft) !== row.digest) {
    throw new TradeAgentError('state_corrupt', `approval ${row.id} holds something else than was drafted`, {
      hint: 'Check your orders at the broker before anything else.',
    });
  }
  const result: unknown = row.placed === null ? undefined : JSON.parse(row.placed);
  const base = {
    id: row.id,
    thread: row.thread,
    prompt: row.prompt,
    toolCallId: row.tool_call_id,
    attempt: row.attempt,
    profile: row.profile,
    sub: row.sub,
    status: row.status,
    digest: row.digest,
    code: row.code,
    expiresAt: row.expires_at,
    authReqId: row.auth_req_id ?? undefined,
    interval: row.poll_interval ?? DEFAULT_INTERVAL,
    polledAt: row.polled_at ?? undefined,
    asked: row.asked,
    hasToken: row.sealed_token !== null,
    tokenExpiresAt: row.token_expires_at ?? undefined,
    reasonCode: row.reason_code ?? undefined,
    reason: row.reason ?? undefined,
    epoch: row.lease_epoch,
  };
  return isMessageDraft(draft)
    ? {
        ...base,
        kind: 'message',
        draft,
        sent: result === undefined ? undefined : sentMessageSchema.parse(result),
      }
    : { ...base, kind: 'order', draft, placed: result === undefined ? undefined : orderSchema.parse(result) };
}

/**
 * Whether its time ran out before it was settled: no order can come of it any more. It keeps its status until somebody
 * resumes the thread, which asks the provider once: the person may have said no in time.
 */
export function isOverdue({ status, expiresAt, draft }: Approval, now: number): boolean {
  if (status === 'drafted' || status === 'requested') return expiresAt <= now;
  return status === 'approved' && Date.parse(draft.expires_at) <= now;
}

/** What people and scripts may see of it. */
export function approvalView(approval: Approval): ApprovalView {
  const base = {
    id: approval.id,
    thread: approval.thread,
    status: approval.status,
    code: approval.code,
    expires_at: new Date(approval.expiresAt).toISOString().replace(/\.\d{3}Z$/, 'Z'),
    reason: approval.reason,
  };
  if (approval.kind === 'message') {
    return { ...base, kind: 'message', message: approval.draft, sent: approval.sent };
  }
  const { environment } = approval.draft;
  return { ...base, kind: 'order', environment, order: approval.draft, placed: approval.placed };
}
