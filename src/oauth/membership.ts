/** As whose somebody comes, as their access token tells: facts for rules, and for the record. */
export interface Membership {
  readonly org?: string;
  readonly company?: string;
  readonly groups?: readonly string[];
  /** Who acts for them: a server, or an agent (RFC 8693 §4.1 `act`). */
  readonly act?: string;
}
