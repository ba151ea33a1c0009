/** Stores DPoP proofs until they expire, so that each proof is accepted only once, even after a restart. */
export interface ProofStore {
  /**
   * Stores a proof. Returns false if it is already stored; the check and the write are one transaction. A proof is
   * stored until `expiresAt` (inclusive) and deleted some time later. `expiresAt` and `now` are milliseconds since the
   * epoch.
   */
  remember(proof: string, expiresAt: number, now: number): Promise<boolean>;
}
