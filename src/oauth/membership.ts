/** For whom a caller acts, according to their access token: facts for rules, and for the audit log. */
export interface Membership {
  readonly org?: string;
  readonly company?: string;
  readonly groups?: readonly string[];
  /** The server or agent that acts for the person (RFC 8693 §4.1 `act`). */
  readonly act?: string;
}
