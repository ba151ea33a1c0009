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

/** Whose message, and its id, which is unique among that user's alone: nobody can take another's. */
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

/** What a handing over came to. */
export type MessageResult =
  | { readonly state: 'ready' }
  | { readonly state: 'sent'; readonly message: SentMessage }
  | { readonly state: 'refused'; readonly problem: Problem }
  | { readonly state: 'unknown' };

/** `stale`: the entry is no longer as it was seen, and nothing was written. `entry` is as it is now. */
export interface MessageMove {
  readonly outcome: 'moved' | 'stale';
  readonly entry: MessageEntry;
}

/**
 * The record that makes one approval one message at most. Each method is one unit of work: its condition is looked at, and
 * all of it is written, in one transaction that is on disk when the promise resolves. Times are milliseconds since the
 * epoch.
 */
export interface MessageJournal {
  find(sub: string, id: string): Promise<MessageEntry | undefined>;
  /**
   * Uses the approval and writes the intent. `known`: there is an entry already. `approval_used`: for another message, or
   * an order. Either way nothing was used or written.
   */
  claim(
    claim: MessageClaim,
    now: number,
  ): Promise<
    | { readonly outcome: 'claimed' | 'known'; readonly entry: MessageEntry }
    | { readonly outcome: 'approval_used' }
  >;
  /** Takes the right to send a message that is `ready` again. `epoch` is what is compared. @throws for one it never had */
  reclaim(seen: MessageEntry, now: number): Promise<MessageMove>;
  /**
   * Ends a handing over: the entry as it was claimed, or as it was found where a process died at it. Compared as for a
   * {@link reclaim}.
   */
  finish(seen: MessageEntry, result: MessageResult, now: number): Promise<MessageMove>;
}
