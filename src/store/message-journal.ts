import type { MessageDraft, SentMessage } from '../trading/message.ts';
import type { Problem } from '../trading/views.ts';
import type { Approval } from './used-approval.ts';

/**
 * Where a message is, as far as we can prove:
 *
 *     ready ⇄ intent ──▶ sent | refused | unknown
 *
 * `intent` is written before the service hears of it; found later, it means that the process died, and that the message
 * may have been sent. `ready` again: the service certainly did not take it. The other three are final: `unknown` too,
 * since no service can be asked what became of a message, and none is sent a second time to find out.
 */
export type MessageState = 'ready' | 'intent' | 'sent' | 'refused' | 'unknown';

/** A message's id is unique per user: nobody can take another's. */
export interface MessageKey {
  readonly sub: string;
  readonly id: string;
}

export interface MessageEntry extends MessageKey {
  readonly digest: string;
  readonly state: MessageState;
  /** Rises with each change. */
  readonly epoch: number;
  /** For `sent`. */
  readonly message: SentMessage | undefined;
  /** For `refused`. */
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

/** `stale`: the entry has changed since it was seen; nothing was written. `entry` is the current one. */
export interface MessageMove {
  readonly outcome: 'moved' | 'stale';
  readonly entry: MessageEntry;
}

/**
 * The record that makes one approval one message at most. Each method is one transaction, on disk when the promise resolves.
 * Times are milliseconds since the epoch.
 */
export interface MessageJournal {
  find(sub: string, id: string): Promise<MessageEntry | undefined>;
  /** Uses the approval and writes the intent. `known`, and `approval_used` for something else: nothing was used or written. */
  claim(
    claim: MessageClaim,
    now: number,
  ): Promise<
    | { readonly outcome: 'claimed' | 'known'; readonly entry: MessageEntry }
    | { readonly outcome: 'approval_used' }
  >;
  /** Takes the right to send a `ready` message again, by its `epoch`. @throws for an unknown one */
  reclaim(seen: MessageEntry, now: number): Promise<MessageMove>;
  /** Ends a submission of this process, or of one that died. Compared as for a {@link reclaim}. */
  finish(seen: MessageEntry, result: MessageResult, now: number): Promise<MessageMove>;
}
