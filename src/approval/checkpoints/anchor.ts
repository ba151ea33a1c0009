/** Somebody outside who says when a checkpoint was there, so that who has the gateway's key can't make another past. */
export interface Anchor {
  readonly kind: AnchorKind;
  /** Its address, as the record names it. */
  readonly authority: string;
  /**
   * @param digest SHA-256, 32 bytes
   * @returns what it gave, verified as far as it can be
   * @throws where it is out of reach, or gave something else than was asked for; nobody waits for it
   */
  vouch(digest: Buffer, signal: AbortSignal): Promise<Vouched & { readonly token: Buffer }>;
}

/** What an authority's token says. */
export interface Vouched {
  /** By when the digest was there, milliseconds since the epoch. */
  readonly at: number;
  /** Whose signature it is, by its certificate. */
  readonly by: string;
  /** Whether that certificate leads to one that the reader trusts. */
  readonly isTrusted: boolean;
}

/** How one kind's tokens are verified, by nothing but themselves. */
export type VerifyAnchor = (
  token: Buffer,
  digest: Buffer,
  /** Certificates that an authority's must lead to, PEM; those that Node ships where it is left out. */
  trusted?: readonly string[],
) => Promise<Vouched>;

export type AnchorKind = 'rfc3161';
