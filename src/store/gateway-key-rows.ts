/**
 * `client` authenticates the gateway at the identity provider, `seal` seals secrets, and a `next_…` key will replace
 * the key of that name.
 */
export type GatewayKeyName = 'client' | 'next_client' | 'seal' | 'next_seal';

/** A gateway's key as stored: only the key management service can unwrap it. */
export interface WrappedGatewayKey {
  readonly name: GatewayKeyName;
  /** Starts at 1 for each name. */
  readonly version: number;
  readonly wrapped: string;
}

/** Keys that all gateways with the same database share. Each method is one transaction. */
export interface GatewayKeyRows {
  /** Sorted by name, then by version with the newest first. */
  all(): Promise<WrappedGatewayKey[]>;
  /**
   * @returns false, with nothing changed, if one of the removed keys has changed or one of the added keys already
   * exists
   */
  replace(removed: readonly WrappedGatewayKey[], added: readonly WrappedGatewayKey[]): Promise<boolean>;
  /**
   * Adds the first seal key.
   * @param check a value derived from the key that does not reveal it
   * @returns false, with nothing changed, if a seal key exists or secrets were already sealed with another key
   */
  addFirstSeal(seal: WrappedGatewayKey, check: string): Promise<boolean>;
}
