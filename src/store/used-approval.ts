/** Identifies an approval, so that it can be used only once. A token's ID is unique per issuer (RFC 7519 §4.1.7). */
export interface ApprovalId {
  readonly issuer: string;
  readonly jti: string;
}
