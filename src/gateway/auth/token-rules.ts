/** For access tokens and DPoP proofs. Asymmetric only: neither `none` nor HMAC with a public key (RFC 8725 §3.1). */
export const SIGNING_ALGORITHMS = ['ES256', 'EdDSA', 'Ed25519', 'RS256', 'PS256'] as const;

/** Tolerance around the provider's clock, which its answers give to the second. A provider may have several machines. */
export const CLOCK_SKEW_SECONDS = 5;
