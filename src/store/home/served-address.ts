/**
 * The one address at which several processes serve a home. Each process reads the address from settings of its own, so
 * without this, a process with old settings would serve the former address, whose sign-ins have ended.
 */
export interface ServedAddress {
  /** Returns the home's address. Stores `address` if there is none yet. */
  claim(address: string): Promise<string>;
  /**
   * Keeps the address from being changed until the database is closed. If the connection breaks, the address may change
   * until it is restored.
   * @param moved called with the home's address if it is not `address`, now or after a reconnect
   */
  serve(address: string, moved: (address: string) => void): Promise<void>;
  /** Keeps processes from starting to serve until the database is closed. @returns false if a process is serving */
  lock(): Promise<boolean>;
  set(address: string): Promise<void>;
}
