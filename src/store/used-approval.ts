/** What makes an approval usable once, whatever for: the id of its token is unique for its issuer (RFC 7519 §4.1.7). */
export interface Approval {
  readonly issuer: string;
  readonly jti: string;
}
