/** Notifications between processes. They are only hints, because each process also polls. */
export type News =
  /** The ID of a proposal that changed. */
  | { readonly moved: string }
  /** The ID of a proposal for which the identity provider sent a ping. */
  | { readonly called: string }
  /** The client_order_id or client_message_id of a submission that has ended. */
  | { readonly landed: string }
  /** Notifications may have been lost, so everything that is awaited must be read again. */
  | 'missed';

/**
 * The processes that share the data. Each open proposal is supervised by one of them: the one that drafted it or, if that
 * one dies, the first to notice. This only prevents asking a person twice. The journal and the version check of each change
 * ensure that there is only one order.
 */
export interface OtherProcesses {
  /** Never fails. */
  tell(news: News): void;
  /** Subscribes to the other processes' notifications. @returns a function that unsubscribes */
  hear(listener: (news: News) => void): () => void;
  /** Takes an open proposal. Returns false if another live process has it. */
  take(proposal: string): Promise<boolean>;
  /**
   * Declares this process alive for {@link LIVENESS_MS}, and takes open proposals that no live process has, decided ones first
   * and at most some thousands per call.
   * `lapsed`: this process was considered dead meanwhile, and `taken` is everything that it still has.
   * `died`: another process was found dead.
   */
  renew(): Promise<{ readonly taken: readonly string[]; readonly lapsed: boolean; readonly died: boolean }>;
  /** Releases the proposals of this process and unsubscribes. */
  leave(): Promise<void>;
}

/** Time for which a process counts as alive after its last declaration, in milliseconds. */
export const LIVENESS_MS = 15_000;
