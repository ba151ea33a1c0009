/** What a process tells the others: hints, since each also looks again by itself. */
export type News =
  /** A proposal has changed, by its id. */
  | { readonly moved: string }
  /** The identity provider has called back about a proposal, by its id. */
  | { readonly called: string }
  /** Something is no longer being sent, by its client_order_id or client_message_id. */
  | { readonly landed: string }
  /** Some may have been missed: everything that is waited for is to be read again. */
  | 'missed';

/**
 * The processes that share the data. One of them supervises each open proposal: the one that drafted it or, once that is gone,
 * the first to notice. This only keeps a person from being asked twice; what makes it one order is the journal, and the version
 * of each change.
 */
export interface OtherProcesses {
  /** Never fails. */
  tell(news: News): void;
  /** Hears the other processes. @returns stops it */
  hear(listener: (news: News) => void): () => void;
  /** Takes an open proposal; false if another living process has it. */
  take(proposal: string): Promise<boolean>;
  /**
   * Declares this process alive for {@link LIVES_MS}, and takes open proposals that no living process has: those that were
   * decided first, and of very many some at a time.
   * `lapsed`: it was considered dead meanwhile; `taken` is then all that it still has.
   * `died`: another process was found dead.
   */
  renew(): Promise<{ readonly taken: readonly string[]; readonly lapsed: boolean; readonly died: boolean }>;
  /** Releases what this process has, and stops hearing. */
  leave(): Promise<void>;
}

/** How long a process counts as alive after it last declared so, milliseconds. */
export const LIVES_MS = 15_000;
