/**
 * `client` authenticates the gateway to the identity provider, and `seal` encrypts secrets. `next_client` and
 * `next_seal` are their successors during a rotation.
 */
export type GatewayKeyName = 'client' | 'next_client' | 'seal' | 'next_seal';

/** A gateway's key as it is stored. Only the key management service can unwrap it. */
export interface WrappedGatewayKey {
  readonly name: GatewayKeyName;
  /** Starts at 1 for each key name. */
  readonly version: number;
  readonly wrapped: string;
}

/** Keys that all gateways with the same database share. Each method is one transaction. */
export interface GatewayKeyRows {
  /** Returns all keys, sorted by name. For each name, the newest version comes first. */
  all(): Promise<WrappedGatewayKey[]>;
  /**
   * Replaces keys.
   * @returns false, with nothing changed, if a key in `removed` has changed meanwhile or a key in `added` already
   * exists
   */
  replace(removed: readonly WrappedGatewayKey[], added: readonly WrappedGatewayKey[]): Promise<boolean>;
  /**
   * Adds the first seal key.
   * @param check a value that is derived from the key but does not reveal it
   * @returns false, with nothing changed, if a seal key exists or secrets were already sealed with another key
   */
  addFirstSeal(seal: WrappedGatewayKey, check: string): Promise<boolean>;
}
