/** Remembers DPoP proofs until they expire. It is persistent, so that a restart does not allow replays. */
export interface ProofStore {
  /**
   * Stores a proof. Returns false if it is known already, checked in the same transaction. A proof is known up to and including
   * `expiresAt`, and deleted some time later. `expiresAt` and `now` are milliseconds since the epoch.
   */
  remember(proof: string, expiresAt: number, now: number): Promise<boolean>;
}
