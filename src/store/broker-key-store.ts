/** A person's sealed key pair at a broker, which the store can't read. Times are milliseconds since the epoch. */
export interface BrokerKey {
  readonly sub: string;
  /** The broker's name in the gateway's settings, such as `broker`. */
  readonly connection: string;
  /** The kind of broker for which the key was entered. It does not work with other kinds. */
  readonly kind: string;
  readonly sealed: Buffer;
  readonly accountNumber: string;
  readonly environment: 'paper' | 'live';
  readonly keptAt: number;
}

/** One key pair for each person and connection. */
export interface BrokerKeyStore {
  find(sub: string, connection: string): Promise<BrokerKey | undefined>;
  /** Sorted by person. */
  list(connection: string): Promise<BrokerKey[]>;
  /** Stores the key and replaces an earlier one of the same person and connection. */
  keep(key: BrokerKey): Promise<void>;
  /** Returns false if there is none. */
  remove(sub: string, connection: string): Promise<boolean>;
  /** Removes all keys of a person. */
  removeAll(sub: string): Promise<void>;
}
