/**
 * Signature algorithms accepted in access tokens and DPoP proofs: asymmetric ones alone, so that neither `none` nor an
 * HMAC keyed with a public key can pass (RFC 8725 §3.1).
 */
export const SIGNING_ALGORITHMS = ['ES256', 'EdDSA', 'Ed25519', 'RS256', 'PS256'] as const;

/**
 * How far a token's times may be from the identity provider's clock, as it is known here: its answers tell it to the second, and
 * a provider may have several machines.
 */
export const CLOCK_SKEW_SECONDS = 5;
