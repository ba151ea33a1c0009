import { afterEach, beforeEach } from 'vitest';
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

/** New stores for each test, closed after it. */
export function openForEach(open: OpenStores) {
  let opened: OpenedStores;
  beforeEach(async () => {
    opened = await open();
  });
  afterEach(() => opened.close());
  return {
    get stores() {
      return opened.stores;
    },
    another: () => opened.another(),
    /** Asks so many times at once, of this process and another in turn. */
    atOnce<T>(count: number, ask: (stores: GatewayStores, n: number) => Promise<T>): Promise<T[]> {
      const both = [opened.stores, opened.another()] as const;
      return Promise.all(Array.from({ length: count }, (_, n) => ask(both[n % 2 === 0 ? 0 : 1], n)));
    },
    /** One of the stores, whichever test runs. */
    the<Name extends keyof GatewayStores>(name: Name): NonNullable<GatewayStores[Name]> {
      const now = () => opened.stores[name] as object;
      return new Proxy({}, { get: (_, method) => Reflect.get(now(), method) }) as NonNullable<GatewayStores[Name]>;
    },
  };
}
