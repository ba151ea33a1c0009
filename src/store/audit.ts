import type { Tile, TilePlace } from './merkle-tree.ts';

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
  | 'address_changed'
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
  | 'anchored';

/** Content of a line of the audit log. The line is written in the same transaction as the change that it records. */
export interface AuditNote {
  readonly event: AuditEvent;
  readonly facts: Readonly<Record<string, unknown>>;
}

export interface AuditLine {
  /** The line's place in the tree, from 0. Undefined until the line is sequenced. */
  readonly leaf: number | undefined;
  readonly line: string;
}

/** Signs the state of the tree. Synchronous, because it is called within a transaction. */
export interface TreeSigner {
  /** Returns the checkpoint's text. */
  sign(head: { readonly size: number; readonly root: Buffer }): string;
  /** Whether a checkpoint has this signer's signature. If not, the tree is signed again. */
  hasSigned(checkpoint: string): boolean;
}

export interface SequencedTree {
  readonly size: number;
  /** The latest checkpoint's text. Undefined if the tree has never been signed. */
  readonly checkpoint: string | undefined;
}

/**
 * Stores the lines of the audit log and the Merkle tree over them. The other stores add lines, too. A line is committed
 * without a place in the tree, so that transactions do not wait for each other. `sequence` gives it a place.
 */
export interface AuditStore {
  /** Adds a line, in its own transaction, for events that no store records. @param now milliseconds since the epoch */
  note(note: AuditNote, now: number): Promise<void>;
  /** Like `note`, but does nothing if any process has added a line with the same key before. */
  noteOnce(key: string, note: AuditNote, now: number): Promise<void>;
  /**
   * Adds committed lines to the tree in the order in which they were written, at most `MAX_SEQUENCED`, and signs the
   * new tree. Only one process at a time does this.
   * @param wait whether to wait for another process that is sequencing; if false, returns undefined in this case
   * @returns the new tree, and whether more lines are pending
   */
  sequence(signer: TreeSigner, wait: boolean): Promise<(SequencedTree & { readonly hasMore: boolean }) | undefined>;
  tree(): Promise<SequencedTree>;
  /** Returns the number of lines that are not in the tree yet, or `MAX_COUNTED` if there are more. */
  pendingCount(): Promise<number>;
  /** Returns a person's latest lines, newest first. */
  listByPerson(sub: string, limit: number): Promise<AuditLine[]>;
  /** Returns the lines about these proposals and signing keys, in the order of the tree. */
  about(ids: readonly string[]): Promise<AuditLine[]>;
  /** Returns lines of the tree, in order, beginning with leaf `from`. */
  leaves(from: number, limit: number): Promise<{ readonly leaf: number; readonly line: string }[]>;
  tiles(places: readonly TilePlace[]): Promise<Tile[]>;
}

/** Maximum number of lines that one transaction adds to the tree. */
export const MAX_SEQUENCED = 1_000;

/** Returns the values of a line's row. @param now milliseconds since the epoch */
export function toLineValues({ event, facts }: AuditNote, now: number) {
  const { sub, proposal, approval, credential_id: key } = facts;
  const about = proposal ?? approval ?? key;
  return {
    lineSub: typeof sub === 'string' ? sub : null,
    lineAbout: typeof about === 'string' ? about : null,
    // JSON omits undefined members.
    line: JSON.stringify({ ...facts, at: new Date(now).toISOString(), event }),
  };
}
