/** Stores DPoP proofs until they expire, so that each proof is accepted only once, even after a restart. */
export interface ProofStore {
  /**
   * Stores a proof until `expiresAt` (inclusive) or slightly longer. Returns false if the proof is already stored. The
   * check and the write are one transaction.
   * @param expiresAt milliseconds since the epoch, like `now`
   */
  remember(proof: string, expiresAt: number, now: number): Promise<boolean>;
}
