/** A person's API key pair for a broker, encrypted (`sealed`). Times are milliseconds since the epoch. */
export interface BrokerKey {
  readonly sub: string;
  /** The broker's name in the gateway's settings, such as `broker`. */
  readonly connection: string;
  /** The kind of broker that issued the key. Brokers of other kinds do not accept it. */
  readonly kind: string;
  readonly sealed: Buffer;
  readonly accountNumber: string;
  readonly environment: 'paper' | 'live';
  readonly keptAt: number;
}

/** Broker keys, at most one for each person and connection. */
export interface BrokerKeyStore {
  find(sub: string, connection: string): Promise<BrokerKey | undefined>;
  /** Returns the keys for a connection, sorted by person. */
  list(connection: string): Promise<BrokerKey[]>;
  /** Stores the key, and replaces the person's earlier key for the same connection, if any. */
  keep(key: BrokerKey): Promise<void>;
  /** Removes a key. Returns false if the person has no key for this connection. */
  remove(sub: string, connection: string): Promise<boolean>;
  removeAll(sub: string): Promise<void>;
}
