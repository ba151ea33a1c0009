/** `client` authenticates at the identity provider, `seal` seals secrets in rows, and `next_…` is created but not yet used. */
export type GatewayKeyName = 'client' | 'next_client' | 'seal' | 'next_seal';

/** A stored key of a gateway, wrapped so that it is useless without the key management service. */
export interface WrappedGatewayKey {
  readonly name: GatewayKeyName;
  /** Counts from 1 for each name. */
  readonly version: number;
  readonly wrapped: string;
}

/** Keys that all gateways with the same database share. Each method is one transaction. */
export interface GatewayKeyRows {
  /** Sorted by name, then newest first. */
  all(): Promise<WrappedGatewayKey[]>;
  /** @returns false, with nothing changed, if a key to remove has changed or a key to add already exists */
  replace(removed: readonly WrappedGatewayKey[], added: readonly WrappedGatewayKey[]): Promise<boolean>;
  /**
   * Adds the first seal key.
   * @param check a value derived from the key that does not reveal it
   * @returns false, with nothing changed, if there is a seal key, or another key was used to seal
   */
  addFirstSeal(seal: WrappedGatewayKey, check: string): Promise<boolean>;
}
