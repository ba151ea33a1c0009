/** Notifications between processes. A lost one only costs time, because each process also polls. */
export type ProcessNotification =
  /** The ID of a proposal that changed. */
  | { readonly moved: string }
  /** The ID of a proposal for which the identity provider sent a ping. */
  | { readonly called: string }
  /** The client_order_id or client_message_id of a submission that has ended. */
  | { readonly landed: string }
  /** Notifications may have been lost, so whatever the process waits for must be read again. */
  | 'missed';

/**
 * The processes that share the database. Each open proposal is supervised by one of them: the process that drafted it
 * or, if that process dies, the first one to notice. This only prevents asking a person twice. The journal and the
 * version check of each change ensure that only one order is sent.
 */
export interface OtherProcesses {
  /** Never fails. */
  tell(news: ProcessNotification): void;
  /**
   * Subscribes to notifications from the other processes.
   * @returns a function that unsubscribes
   */
  hear(listener: (news: ProcessNotification) => void): () => void;
  /** Makes this process the supervisor of an open proposal. Returns false if another live process supervises it. */
  take(proposal: string): Promise<boolean>;
  /**
   * Extends this process's heartbeat by {@link HEARTBEAT_TIMEOUT_MS}, and takes open proposals that no live process supervises:
   * decided ones first, at most a few thousand per call. `lapsed`: this process was meanwhile considered dead, and
   * `taken` lists everything that it still supervises. `died`: another process was found dead.
   */
  renew(): Promise<{ readonly taken: readonly string[]; readonly lapsed: boolean; readonly died: boolean }>;
  /** Gives up this process's proposals and unsubscribes. */
  leave(): Promise<void>;
}

/** How long a process counts as alive after its last heartbeat, in milliseconds. */
export const HEARTBEAT_TIMEOUT_MS = 15_000;
