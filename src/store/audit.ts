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

/** A line of the record, to be written in the transaction that makes it true. */
export interface AuditNote {
  readonly event: AuditEvent;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** The last line there is. */
export interface AuditHead {
  readonly seq: number;
  readonly hash: string;
}

/** Where the record stands at one moment: its last line as the store has it, and how long the file is by then. */
export interface AuditStanding {
  readonly head: AuditHead;
  /** Noted in the store; some of them may be in the file too, where a process died in between. */
  readonly pending: readonly string[];
  readonly bytes: number;
}

/**
 * What of the record is not on its file yet. A line is noted by the unit of work that makes it true: the other stores
 * write it, each with the hash of the one before.
 */
export interface AuditStore {
  /** Notes a line of something that no store keeps, in a unit of work of its own. @param now milliseconds since the epoch */
  note(note: AuditNote, now: number): Promise<void>;
  /**
   * Moves what is noted to the end of the file, in order, each line once however many processes do it and whoever of them
   * died at it, and waits for the disk. A last line that was cut short is left as it is, and what follows is on a line of
   * its own. Where nothing is noted the file is not touched.
   * @param file made with the first line, 0600
   * @throws where it can't be written; what was noted stays noted
   */
  moveToFile(file: string): Promise<void>;
  /** Taken while nobody moves lines. */
  standing(file: string): Promise<AuditStanding>;
}

/** Before the first line. */
export const NO_LINE: AuditHead = { seq: 0, hash: '0'.repeat(64) };

/** hex(SHA-256) of a line's RFC 8785 form without its own `hash`. */
export function lineHash(facts: Readonly<Record<string, unknown>>): string {
  const { hash: _, ...rest } = facts;
  return createHash('sha256')
    .update(canonicalize(rest) ?? '')
    .digest('hex');
}

/** The line after `head`, and its own place. @param now milliseconds since the epoch */
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
