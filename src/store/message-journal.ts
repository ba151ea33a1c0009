import type { MessageDraft, SentMessage } from '../trading/message.ts';
import type { Problem } from '../trading/views.ts';
import type { ApprovalId } from './used-approval.ts';

/**
 * A message's provable state:
 *
 *     ready ⇄ intent ──▶ sent | refused | unknown
 *
 * `intent` is written before the service is called. If it is found later, the process died and the message may have been
 * sent. It returns to `ready` if the service certainly did not accept it. The other three are final. `unknown` is final too,
 * because services can't be queried for a message's outcome, and no message is sent twice to find out.
 */
export type MessageState = 'ready' | 'intent' | 'sent' | 'refused' | 'unknown';

/** A message's key. IDs are unique only per user, so nobody can block another user's ID by using it first. */
export interface MessageKey {
  readonly sub: string;
  readonly id: string;
}

export interface MessageEntry extends MessageKey {
  readonly digest: string;
  readonly state: MessageState;
  /** Incremented by each change. */
  readonly epoch: number;
  readonly message: SentMessage | undefined;
  readonly problem: Problem | undefined;
}

interface MessageClaim extends MessageKey {
  readonly digest: string;
  /** The message's approval, usable once. */
  readonly approval: ApprovalId;
  readonly draft: MessageDraft;
}

/** How an attempt to send a message ended. */
export type MessageResult =
  | { readonly state: 'ready' }
  | { readonly state: 'sent'; readonly message: SentMessage }
  | { readonly state: 'refused'; readonly problem: Problem }
  | { readonly state: 'unknown' };

/**
 * Result of a change. `stale` means that the entry has changed since it was read, so nothing was written. `entry` is
 * the current entry.
 */
export interface MessageTransition {
  readonly outcome: 'moved' | 'stale';
  readonly entry: MessageEntry;
}

/**
 * The journal that ensures that at most one message is sent per approval. Each method is one transaction, on disk when
 * the promise resolves. Times are milliseconds since the epoch.
 */
export interface MessageJournal {
  find(sub: string, id: string): Promise<MessageEntry | undefined>;
  /**
   * Uses the approval and writes the intent. Writes nothing and returns `known` if the message exists, or
   * `approval_used` if the approval was used for something else.
   */
  claim(
    claim: MessageClaim,
    now: number,
  ): Promise<
    { readonly outcome: 'claimed' | 'known'; readonly entry: MessageEntry } | { readonly outcome: 'approval_used' }
  >;
  /**
   * Claims the right to send a `ready` message again, if its `epoch` is unchanged.
   * @throws if there is no such message
   */
  reclaim(seen: MessageEntry, now: number): Promise<MessageTransition>;
  /** Records the outcome of an attempt by this process, or by a process that died, if the `epoch` is unchanged. */
  finish(seen: MessageEntry, result: MessageResult, now: number): Promise<MessageTransition>;
}
