/** What a process tells the others. Each is a hint: who waits for something looks again by itself after a while. */
export type News =
  /** A proposal has changed, by its id. */
  | { readonly moved: string }
  /** The identity provider has called about a proposal, by its id. */
  | { readonly called: string }
  /** What was being sent, by its own id (a client_order_id, a client_message_id), is under way no more. */
  | { readonly landed: string }
  /** Some may have been missed: whatever is waited for is to be looked at. */
  | 'missed';

/**
 * The processes that have the same data, where there can be several; a store that one process has for itself has none of
 * this. One of them looks after each open proposal: the one that drafted it, and once that is gone whichever is first to see
 * it. Nothing rests on it but that a person is not asked twice: what makes it one order is the journal, and a change's version.
 */
export interface OtherProcesses {
  /** Tells the others, before long. Never fails: it is a hint. */
  tell(news: News): void;
  /** Hears what the others tell, not what this process does. @returns stops it */
  hear(listener: (news: News) => void): () => void;
  /** Takes an open proposal; false where another living process has it. */
  take(proposal: string): Promise<boolean>;
  /**
   * Says that this process lives, which holds for {@link LIVES_MS}, and takes open proposals that no living process has: what
   * is in hand first, and of very many some at a time.
   * `lapsed`: it was taken for dead meanwhile; then `taken` is all that is its own still, and what it had besides is another's.
   * `died`: another one was found to be dead.
   */
  renew(): Promise<{ readonly taken: readonly string[]; readonly lapsed: boolean; readonly died: boolean }>;
  /** What this process has is free at once. Nothing is heard from then on. */
  leave(): Promise<void>;
}

/** So long after it last said so a process counts as living, milliseconds. */
export const LIVES_MS = 15_000;
