/** An outside party that attests when a checkpoint existed, so that whoever has the gateway's key can't rewrite the past. */
export interface Anchor {
  readonly kind: AnchorKind;
  /** The authority's address, as the audit log names it. */
  readonly authority: string;
  /**
   * @param digest SHA-256, 32 bytes
   * @returns the authority's token, verified as far as possible
   * @throws if the authority is unreachable, or returns something other than what was requested. Nothing waits for this
   */
  vouch(digest: Buffer, signal: AbortSignal): Promise<Attestation & { readonly token: Buffer }>;
}

/** The content of an authority's token. */
export interface Attestation {
  /** When the digest existed at the latest, in milliseconds since the epoch. */
  readonly at: number;
  /** The signer's name, from its certificate. */
  readonly by: string;
  /** Whether the reader trusts that certificate's chain. */
  readonly isTrusted: boolean;
}

/** Verifies the tokens of one kind of anchor, which contain everything that this takes. */
export type VerifyAnchor = (
  token: Buffer,
  digest: Buffer,
  /** Certificates that the authority's chain must lead to, PEM. Defaults to Node's own. */
  trusted?: readonly string[],
) => Promise<Attestation>;

export type AnchorKind = 'rfc3161';
