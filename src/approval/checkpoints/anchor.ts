/**
 * An external authority that attests when a checkpoint existed, so that not even someone who has the gateway's key can
 * rewrite the audit log.
 */
export interface Anchor {
  readonly kind: AnchorKind;
  /** The authority's address, as recorded in the audit log. */
  readonly authority: string;
  /**
   * Asks the authority for a token about a digest.
   * @param digest SHA-256, 32 bytes
   * @returns the token, verified as far as possible
   * @throws if the authority is unreachable, or returns anything but a token for the digest
   */
  attest(digest: Buffer, signal: AbortSignal): Promise<Attestation & { readonly token: Buffer }>;
}

/** The content of an authority's token. */
export interface Attestation {
  /** The time at which the digest is proven to have existed, in milliseconds since the epoch. */
  readonly at: number;
  /** The signer's name, from its certificate. */
  readonly by: string;
  /** Whether the signer's certificate chain ends in a certificate that the verifier trusts. */
  readonly isTrusted: boolean;
}

/** Verifies a token of one kind of anchor. The token contains everything that is needed to verify it. */
export type VerifyAnchor = (
  token: Buffer,
  digest: Buffer,
  /** PEM certificates that the reader trusts. Defaults to Node's root certificates. */
  trusted?: readonly string[],
) => Promise<Attestation>;

export type AnchorKind = 'rfc3161';
