/** Claims in a caller's access token that say for whom the caller acts. Used by policy rules and in the audit log. */
export interface Membership {
  readonly org?: string;
  readonly company?: string;
  readonly groups?: readonly string[];
  /** The server or agent that acts for the person (RFC 8693 §4.1 `act`). */
  readonly act?: string;
}
