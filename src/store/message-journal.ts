import type { MessageDraft, SentMessage } from '../trading/message.ts';
import type { Problem } from '../trading/views.ts';
import type { Approval } from './used-approval.ts';

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

/** A message's key. IDs are unique per user, so nobody can claim another user's ID. */
export interface MessageKey {
  readonly sub: string;
  readonly id: string;
}

export interface MessageEntry extends MessageKey {
  readonly digest: string;
  readonly state: MessageState;
  /** Increases with each change. */
  readonly epoch: number;
  /** Set for `sent`. */
  readonly message: SentMessage | undefined;
  /** Set for `refused`. */
  readonly problem: Problem | undefined;
}

interface MessageClaim extends MessageKey {
  readonly digest: string;
  /** Usable once. */
  readonly approval: Approval;
  readonly draft: MessageDraft;
}

/** The outcome of a submission. */
export type MessageResult =
  | { readonly state: 'ready' }
  | { readonly state: 'sent'; readonly message: SentMessage }
  | { readonly state: 'refused'; readonly problem: Problem }
  | { readonly state: 'unknown' };

/** The result of a change. `stale`: the entry has changed since it was read, and nothing was written. `entry` is current. */
export interface MessageTransition {
  readonly outcome: 'moved' | 'stale';
  readonly entry: MessageEntry;
}

/**
 * The journal that ensures at most one message per approval. Each method is one transaction, on disk when it resolves.
 * Times are milliseconds since the epoch.
 */
export interface MessageJournal {
  find(sub: string, id: string): Promise<MessageEntry | undefined>;
  /** Uses the approval and writes the intent. For `known`, and `approval_used` (for something else), nothing is written. */
  claim(
    claim: MessageClaim,
    now: number,
  ): Promise<
    { readonly outcome: 'claimed' | 'known'; readonly entry: MessageEntry } | { readonly outcome: 'approval_used' }
  >;
  /** Claims the right to send a `ready` message again, if its `epoch` is unchanged. @throws for an unknown message */
  reclaim(seen: MessageEntry, now: number): Promise<MessageTransition>;
  /** Ends a submission of this process or of one that died, if the `epoch` is unchanged. */
  finish(seen: MessageEntry, result: MessageResult, now: number): Promise<MessageTransition>;
}
