/**
 * For access tokens and DPoP proofs: only asymmetric ones, so neither `none` nor HMAC by a public key (RFC 8725 §3.1).
 */
export const SIGNING_ALGORITHMS = ['ES256', 'EdDSA', 'Ed25519', 'RS256', 'PS256'] as const;

/** Around the provider's clock, which its answers tell to the second; a provider may have several machines. */
export const CLOCK_SKEW_SECONDS = 5;
