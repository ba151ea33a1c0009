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

/** A line of the record, written in the transaction that makes it true. */
export interface AuditNote {
  readonly event: AuditEvent;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** The last line. */
export interface AuditHead {
  readonly seq: number;
  readonly hash: string;
}

/** The record at one moment: its last line in the store, and the size of the file. */
export interface AuditStanding {
  readonly head: AuditHead;
  /** Lines in the store that are to be moved; after a crash some may be in the file already. */
  readonly pending: readonly string[];
  readonly bytes: number;
}

/** The lines of the record that are not in its file yet. The other stores add them, each with the hash of the one before. */
export interface AuditStore {
  /** Adds a line about something that no store keeps, in its own transaction. @param now milliseconds since the epoch */
  note(note: AuditNote, now: number): Promise<void>;
  /**
   * Appends the pending lines to the file in order, each exactly once even if several processes do it or one dies meanwhile,
   * and waits for the disk. A truncated last line stays as it is; what follows starts on a new line.
   * @param file created with the first line, 0600
   * @throws if it can't be written; the lines stay pending
   */
  moveToFile(file: string): Promise<void>;
  standing(file: string): Promise<AuditStanding>;
}

/** The head of an empty record. */
export const NO_LINE: AuditHead = { seq: 0, hash: '0'.repeat(64) };

/** hex(SHA-256) of a line's RFC 8785 form without its own `hash`. */
export function lineHash(facts: Readonly<Record<string, unknown>>): string {
  const { hash: _, ...rest } = facts;
  return createHash('sha256')
    .update(canonicalize(rest) ?? '')
    .digest('hex');
}

/** The line after `head`. @param now milliseconds since the epoch */
export function lineAfter(
  head: AuditHead,
  { event, facts }: AuditNote,
  now: number,
): AuditHead & { readonly line: string } {
  const seq = head.seq + 1;
  // As it will be read: what JSON leaves out is not hashed either.
  const plain = JSON.parse(JSON.stringify(facts)) as Record<string, unknown>;
  const entry = { ...plain, seq, at: new Date(now).toISOString(), event, prev: head.hash };
  const hash = lineHash(entry);
  return { seq, hash, line: JSON.stringify({ ...entry, hash }) };
}
