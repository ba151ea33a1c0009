/** Remembers DPoP proofs until their window has passed. On disk, so that a restart doesn't open it again. */
export interface ProofStore {
  /**
   * False when the proof is known already: looked for and written down in one unit of work. Known until `expiresAt`, that
   * millisecond included; forgotten some time after. `expiresAt` and `now` in milliseconds since the epoch.
   */
  remember(proof: string, expiresAt: number, now: number): Promise<boolean>;
}
