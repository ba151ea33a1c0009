/** `client`: of its clients at the identity provider; `seal`: what secrets in its rows are sealed by; `next_…`: made, and not in use yet. */
export type GatewayKeyName = 'client' | 'next_client' | 'seal' | 'next_seal';

/** A key of a gateway's own as it is kept: wrapped, and worth nothing without the key management service. */
export interface WrappedGatewayKey {
  readonly name: GatewayKeyName;
  /** Counted from 1, each name's by itself. */
  readonly version: number;
  readonly wrapped: string;
}

/** Where the keys are that all gateways over a database have. Each method is one unit of work. */
export interface GatewayKeyRows {
  /** By name, the newest first. */
  all(): Promise<WrappedGatewayKey[]>;
  /** @returns false where one of those to be removed is not there as it was read, or one to be added is there: nothing was changed */
  replace(removed: readonly WrappedGatewayKey[], added: readonly WrappedGatewayKey[]): Promise<boolean>;
  /**
   * Adds the first that is sealed by.
   * @param check follows from it, and tells nothing of it
   * @returns false where there is one, or something was sealed by another: nothing was changed
   */
  addFirstSeal(seal: WrappedGatewayKey, check: string): Promise<boolean>;
}
