/** Claims of a caller's access token about who the caller acts for, used by policy rules and in the audit log. */
export interface Membership {
  readonly org?: string;
  readonly company?: string;
  readonly groups?: readonly string[];
  /** The server or agent that acts for the person (RFC 8693 §4.1 `act`). */
  readonly act?: string;
}
