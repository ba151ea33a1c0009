/**
 * Signature algorithms accepted in access tokens and DPoP proofs: asymmetric ones alone, so that neither `none` nor an
 * HMAC keyed with a public key can pass (RFC 8725 §3.1).
 */
export const SIGNING_ALGORITHMS = ['ES256', 'EdDSA', 'Ed25519', 'RS256', 'PS256'] as const;

/** How far this clock and the identity provider's may be apart. */
export const CLOCK_SKEW_SECONDS = 5;
