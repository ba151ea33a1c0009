import type { TradingState } from '../trading/policy-views.ts';

/** A person's trading state. */
export interface TradingStanding {
  readonly state: TradingState;
  /** Undefined while it is active. */
  readonly since?: number;
  /** When it ends by itself, if it does. */
  readonly until?: number;
  /** A client, or `max_day_loss`. */
  readonly by?: string;
}

export const DAY_LOSS = 'max_day_loss';

/**
 * Whose trading is halted, or may only reduce. In the gateway's database: it survives everything, and holds for every door.
 * Each change is one unit of work with its line of the record. Times are milliseconds since the epoch.
 */
export interface Halts {
  /** Undefined where trading is not halted. */
  haltedAt(sub: string): Promise<number | undefined>;
  standing(sub: string, now: number): Promise<TradingStanding>;
  /** Halts, where it was not halted before. @returns since when it is */
  halt(sub: string, by: string, now: number): Promise<number>;
  /**
   * From now on positions may only be made smaller; a halt stays one. One that ends by itself does not shorten another.
   * @param until when it ends by itself; undefined for never
   */
  reduce(sub: string, by: string, until: number | undefined, now: number): Promise<TradingStanding>;
  /**
   * Ends the halt, or the reducing where there is no halt; false where there is none since then.
   * @param since as it was read
   */
  lift(sub: string, since: number, now: number): Promise<boolean>;
}
