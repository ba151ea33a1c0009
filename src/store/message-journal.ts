import type { MessageDraft, SentMessage } from '../trading/message.ts';
import type { Problem } from '../trading/views.ts';
import type { ApprovalId } from './used-approval.ts';

/**
 * The state of a message, as far as the journal can prove it:
 *
 *     ready ⇄ intent ──▶ sent | refused | unknown
 *
 * `intent` is written before the service is called. A leftover `intent` means that the process died and that the
 * message may have been sent. A message returns to `ready` if the service certainly did not accept it. `sent`,
 * `refused` and `unknown` are final. `unknown` is final because services can't be queried for a message's outcome, and
 * sending the message again could duplicate it.
 */
export type MessageState = 'ready' | 'intent' | 'sent' | 'refused' | 'unknown';

/** A message's key. IDs are separate for each user, so nobody can block another user's ID by using it first. */
export interface MessageKey {
  readonly sub: string;
  readonly id: string;
}

export interface MessageJournalEntry extends MessageKey {
  readonly digest: string;
  readonly state: MessageState;
  /** Incremented by each change of the journal entry. */
  readonly epoch: number;
  readonly message: SentMessage | undefined;
  readonly problem: Problem | undefined;
}

interface MessageClaim extends MessageKey {
  readonly digest: string;
  readonly approval: ApprovalId;
  readonly draft: MessageDraft;
}

/** The person's daily limit: from `since` on, at most `max` messages that were sent or may have been sent. */
export interface MessageLimit {
  readonly since: number;
  readonly max: number;
}

export type MessageResult =
  | { readonly state: 'ready' }
  | { readonly state: 'sent'; readonly message: SentMessage }
  | { readonly state: 'refused'; readonly problem: Problem }
  | { readonly state: 'unknown' };

/**
 * Result of a change. `stale` means that the journal entry has changed since the caller read it, so nothing was
 * written. `entry` is the current journal entry.
 */
export interface MessageChangeResult {
  readonly outcome: 'moved' | 'stale';
  readonly entry: MessageJournalEntry;
}

/**
 * Journal that ensures that at most one message is sent per approval. Each method is one transaction, which is on disk
 * when the promise resolves. Times are milliseconds since the epoch.
 */
export interface MessageJournal {
  find(sub: string, id: string): Promise<MessageJournalEntry | undefined>;
  /** Counts the person's messages that were, or may have been, sent at or after the time `since`. */
  countSince(sub: string, since: number): Promise<number>;
  /**
   * Uses the approval and writes the intent. Writes nothing and returns `known` if a message with this key is already
   * in the journal, `over_limit` if the person's limit is reached, or `approval_used` if the approval was used for
   * something else.
   */
  claim(
    claim: MessageClaim,
    limit: MessageLimit,
    now: number,
  ): Promise<
    | { readonly outcome: 'claimed' | 'known'; readonly entry: MessageJournalEntry }
    | { readonly outcome: 'approval_used' | 'over_limit' }
  >;
  /**
   * Claims the right to send a `ready` message again, if the message's `epoch` is unchanged. Writes nothing and returns
   * `over_limit` if the person's limit has been reached meanwhile.
   * @throws if there is no such message
   */
  reclaim(
    seen: MessageJournalEntry,
    limit: MessageLimit,
    now: number,
  ): Promise<MessageChangeResult | { readonly outcome: 'over_limit' }>;
  /**
   * Records the outcome of an attempt, if the message's `epoch` is unchanged. The attempt was made by this process or
   * by a process that died.
   */
  finish(seen: MessageJournalEntry, result: MessageResult, now: number): Promise<MessageChangeResult>;
}
