import type { GatewayStores } from '../../../src/store/gateway-stores.ts';

/** A new and empty store of a gateway. */
export interface OpenedStores {
  readonly stores: GatewayStores;
  /** Another process's stores over the same data. */
  another(): GatewayStores;
  close(): Promise<void>;
}

/** How an implementation is opened for its contract's tests. */
export type OpenStores = () => Promise<OpenedStores>;
