/** A person's key pair at a broker, sealed: the store can't read it. Times are milliseconds since the epoch. */
export interface BrokerKey {
  readonly sub: string;
  /** What the broker is called here, by the gateway's settings: `broker`. */
  readonly connection: string;
  /** Of which kind of broker, as it was given: it is of no use to any other. */
  readonly kind: string;
  readonly sealed: Buffer;
  readonly accountNumber: string;
  readonly environment: 'paper' | 'live';
  readonly keptAt: number;
}

/** One key pair for each person and connection. */
export interface BrokerKeyStore {
  find(sub: string, connection: string): Promise<BrokerKey | undefined>;
  /** By person. */
  list(connection: string): Promise<BrokerKey[]>;
  /** In place of an earlier one of the same person and connection. */
  keep(key: BrokerKey): Promise<void>;
  /** False where there is none. */
  remove(sub: string, connection: string): Promise<boolean>;
  /** All of a person's. */
  removeAll(sub: string): Promise<void>;
}
