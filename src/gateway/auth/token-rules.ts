/** Algorithms of access tokens and DPoP proofs. All are asymmetric: `none` and HMAC are rejected (RFC 8725 §3.1). */
export const SIGNING_ALGORITHMS = ['ES256', 'EdDSA', 'Ed25519', 'RS256', 'PS256'] as const;

/** Tolerated difference from the provider's clock. The provider reports whole seconds, and its clocks may differ. */
export const CLOCK_SKEW_SECONDS = 5;
