import type { TradingState } from '../trading/policy-views.ts';

/** A person's trading state. */
export interface TradingStateSnapshot {
  readonly state: TradingState;
  /** Undefined while trading is active. */
  readonly since?: number;
  /** Time when it ends by itself, if it does. */
  readonly until?: number;
  /** The client that set it, or `max_day_loss`. */
  readonly by?: string;
}

export const MAX_DAY_LOSS = 'max_day_loss';

/**
 * People whose trading is halted or limited to reducing positions. It is in the gateway's database, so it survives restarts
 * and applies to all interfaces. Each change and its audit log entry are one transaction. Times are milliseconds since
 * the epoch.
 */
export interface Halts {
  /** Undefined if trading is not halted. */
  haltedAt(sub: string): Promise<number | undefined>;
  current(sub: string, now: number): Promise<TradingStateSnapshot>;
  /** Halts trading if it is not halted. @returns the time since when it is halted */
  halt(sub: string, by: string, now: number): Promise<number>;
  /**
   * Allows only orders that reduce positions. Does not lift a halt, and does not shorten a reduction that ends later.
   * @param until time when it ends by itself; undefined for never
   */
  reduce(sub: string, by: string, until: number | undefined, now: number): Promise<TradingStateSnapshot>;
  /**
   * Lifts the halt, or the reduction if there is no halt. Returns false if there is none that began at `since`.
   * @param since the time that was read before
   */
  lift(sub: string, since: number, now: number): Promise<boolean>;
}
