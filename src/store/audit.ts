import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';

export type AuditEvent =
  | 'proposed'
  | 'requested'
  | 'asked_again'
  | 'approved'
  | 'approved_by_mandate'
  | 'executing'
  | 'not_taken'
  | 'executed'
  | 'denied'
  | 'expired'
  | 'cancelled'
  | 'blocked'
  | 'unknown'
  | 'order_cancelled'
  | 'halted'
  | 'reducing'
  | 'lifted'
  | 'orders_recounted'
  | 'rules_tightened'
  | 'rules_imported'
  | 'signed'
  | 'key_enrolled'
  | 'key_removed'
  | 'access_granted'
  | 'access_revoked'
  | 'signal_received'
  | 'owner_approved'
  | 'second_requested'
  | 'mandate_granted'
  | 'mandate_replaced'
  | 'mandate_suspended'
  | 'mandate_revoked'
  | 'standing_ordered'
  | 'standing_refused'
  | 'standing_missed'
  | 'standing_ended'
  | 'checkpoint'
  | 'anchored';

/** Content of an audit log entry. The entry is written in the same transaction as the change that it records. */
export interface AuditNote {
  readonly event: AuditEvent;
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface AuditHead {
  readonly seq: number;
  readonly hash: string;
}

/** A snapshot of the audit log: its last entry, the lines that are not in its file yet, and the file's size. */
export interface AuditSnapshot {
  readonly head: AuditHead;
  /** Lines that are not yet moved to the file. After a crash, the file may already contain some of them. */
  readonly pending: readonly string[];
  readonly bytes: number;
}

/**
 * Stores audit log entries until they are moved to the log's file. The other stores add entries, too. Each entry
 * contains the hash of the previous entry.
 */
export interface AuditStore {
  /** In its own transaction, for events that no other store records. @param now milliseconds since the epoch */
  note(note: AuditNote, now: number): Promise<void>;
  /**
   * Appends the pending lines to the file in order, and flushes the file to disk. Each line is written exactly once,
   * even if several processes call this method at once or one of them dies. If the file ends with a truncated line,
   * that line is kept, and the new lines are appended after a line break.
   * @param file created with mode 0600 if it does not exist
   * @throws if the file can't be written; the lines stay pending
   */
  moveToFile(file: string): Promise<void>;
  snapshot(file: string): Promise<AuditSnapshot>;
  /** Returns the number of lines that are not in the file yet, without reading them. */
  pendingCount(file: string): Promise<number>;
}

export const EMPTY_AUDIT_HEAD: AuditHead = { seq: 0, hash: '0'.repeat(64) };

/** Returns the SHA-256 hash, in hex, of an entry in RFC 8785 form without its `hash` member. */
export function hashAuditEntry(facts: Readonly<Record<string, unknown>>): string {
  const { hash: _, ...rest } = facts;
  return createHash('sha256')
    .update(canonicalize(rest) ?? '')
    .digest('hex');
}

/** Returns the entry that follows `head` in the audit log. @param now milliseconds since the epoch */
export function nextAuditEntry(
  head: AuditHead,
  { event, facts }: AuditNote,
  now: number,
): AuditHead & { readonly line: string } {
  const seq = head.seq + 1;
  // Hashes the entry as readers will parse it: JSON omits undefined members.
  const plain = JSON.parse(JSON.stringify(facts)) as Record<string, unknown>;
  const entry = { ...plain, seq, at: new Date(now).toISOString(), event, prev: head.hash };
  const hash = hashAuditEntry(entry);
  return { seq, hash, line: JSON.stringify({ ...entry, hash }) };
}
