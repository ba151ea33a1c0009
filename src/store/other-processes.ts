/** A notification to the other processes. If it is lost, they only react later, because each process also polls. */
export type ProcessNotification =
  | { readonly moved: string }
  /** The ID of a proposal that the identity provider sent a ping for. */
  | { readonly called: string }
  /** The `client_order_id` or `client_message_id` of a submission that has ended. */
  | { readonly landed: string }
  /** Notifications may have been lost, so the receiver must read again what it is waiting for. */
  | 'missed';

/**
 * The processes that share the database. One process supervises each open proposal: the process that drafted the
 * proposal or, if that process dies, the first process that notices. Supervision only prevents asking a person twice.
 * That only one order is sent is ensured by the journal and by the version check on each change.
 */
export interface OtherProcesses {
  /** Notifies the other processes. Never throws. */
  notify(news: ProcessNotification): void;
  /**
   * Subscribes to notifications from the other processes.
   * @returns a function that unsubscribes
   */
  subscribe(listener: (news: ProcessNotification) => void): () => void;
  /**
   * Makes this process the supervisor of an open proposal. Returns false if another live process supervises the
   * proposal.
   */
  take(proposal: string): Promise<boolean>;
  /**
   * Renews this process's heartbeat for {@link HEARTBEAT_TIMEOUT_MS}, and takes open proposals that no live process
   * supervises, at most a few thousand per call. Proposals that wait for a person's decision are taken last. `lapsed`
   * means that the heartbeat had expired; `taken` then lists all proposals that this process supervises. `died` means
   * that another process was found dead.
   */
  renew(): Promise<{ readonly taken: readonly string[]; readonly lapsed: boolean; readonly died: boolean }>;
  /** Stops supervising this process's proposals, and unsubscribes. */
  leave(): Promise<void>;
}

/** How long a process counts as alive after its last heartbeat, in milliseconds. */
export const HEARTBEAT_TIMEOUT_MS = 15_000;
