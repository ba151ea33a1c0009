import { appendFileSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Clock } from '../trading/clock.ts';
import type { Approval } from './approval-store.ts';

export type AuditEvent =
  | 'proposed'
  | 'requested'
  | 'approved'
  | 'denied'
  | 'expired'
  | 'cancelled'
  | 'blocked'
  | 'sending'
  | 'not_sent'
  | 'answered'
  | 'unknown'
  | 'asked_again'
  | 'order_cancelled'
  | 'thread_deleted';

/** Who asked, what was proposed, approved, sent, and answered: one JSON object a line, only ever appended. */
export interface AuditLog {
  /**
   * Throws where it can't be written: an order that leaves no record is not sent.
   */
  approval(event: AuditEvent, approval: Approval): void;
  record(event: AuditEvent, facts: Readonly<Record<string, unknown>>): void;
}

export function createAuditLog(file: string, clock: Clock): AuditLog {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const record: AuditLog['record'] = (event, facts) => {
    const line = JSON.stringify({ at: new Date(clock.now()).toISOString(), event, ...facts });
    // One write in append mode: lines of several processes never mix.
    appendFileSync(file, `${line}\n`, { mode: 0o600, flush: true });
  };
  return {
    record,
    approval(event, approval) {
      record(event, {
        profile: approval.profile,
        sub: approval.sub,
        thread: approval.thread,
        approval: approval.id,
        attempt: approval.attempt,
        client_order_id: approval.draft.client_order_id,
        code: approval.code,
        digest: approval.digest,
        status: approval.status,
        order: approval.draft,
        ...(approval.reason === undefined ? {} : { reason: approval.reason }),
        ...(approval.placed === undefined ? {} : { placed: approval.placed }),
      });
    },
  };
}
