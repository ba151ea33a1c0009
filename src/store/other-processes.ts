/** A notification to the other processes. If it is lost, they react later, because each process also polls. */
export type ProcessNotification =
  | { readonly moved: string }
  /** The `client_order_id` or `client_message_id` of a submission that has ended. */
  | { readonly landed: string }
  /** The person whose approval requests changed. `delivered`: digest of the `auth_req_id` whose decision can be polled. */
  | { readonly requestsOf: string; readonly delivered?: string }
  /** The person who revoked a client's access. The client's streams for this person must end. */
  | { readonly revoked: string }
  /** Notifications may have been lost, so each receiver must check the state of everything that it waits for. */
  | 'missed';

/** Notifications between the processes that share the database. */
export interface OtherProcesses {
  /** Notifies the other processes. Never throws. */
  notify(news: ProcessNotification): void;
  subscribe(listener: (news: ProcessNotification) => void): () => void;
}
