/** How a connection pool of this process is used, in connections. */
export interface PoolUsage {
  readonly name: string;
  readonly max: number;
  readonly size: number;
  readonly inUse: number;
  readonly waiting: number;
}

/** The connections to a database that several processes share. */
export interface DatabaseConnections {
  /** Sends no query to the database. */
  pools(): readonly PoolUsage[];
  /** Returns how many of this login's connections, from all processes, wait for a lock. */
  lockWaits(): Promise<number>;
}
