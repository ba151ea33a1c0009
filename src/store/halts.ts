/**
 * Whose trading is halted. In the gateway's database: it survives everything, and holds for every door. Each change is one
 * unit of work with its line of the record. Times are milliseconds since the epoch.
 */
export interface Halts {
  /** Undefined where trading goes on. */
  haltedAt(sub: string): Promise<number | undefined>;
  /** Halts, where it was not halted before. @returns since when it is */
  halt(sub: string, by: string, now: number): Promise<number>;
  /** Ends a halt; false where there is none, or it is another than was read. */
  lift(sub: string, haltedAt: number, now: number): Promise<boolean>;
}
