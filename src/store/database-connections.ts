/** The use of one of this process's connection pools: numbers of connections, and of requests that are `waiting`. */
export interface PoolUsage {
  readonly name: string;
  readonly max: number;
  readonly size: number;
  readonly inUse: number;
  readonly waiting: number;
}

/** The connections to a database that several processes share. */
export interface DatabaseConnections {
  /** Returns the use of each pool. Sends no query to the database. */
  pools(): readonly PoolUsage[];
  /** Returns the number of this login's connections, from all processes, that are waiting for a lock. */
  lockWaits(): Promise<number>;
}
