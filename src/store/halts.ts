import type { TradingState } from '../trading/policy-views.ts';

export interface TradingStateSnapshot {
  readonly state: TradingState;
  /** Undefined while trading is active. */
  readonly since?: number;
  /** Time when the state ends automatically. Undefined if it does not. */
  readonly until?: number;
  /** The client that set the state, or `max_day_loss`. */
  readonly by?: string;
}

export const MAX_DAY_LOSS = 'max_day_loss';

/**
 * People whose trading is halted, or limited to orders that reduce positions. Stored in the gateway's database, so
 * halts survive restarts and apply to all interfaces. Each change and its audit log entry are one transaction. Times
 * are milliseconds since the epoch.
 */
export interface Halts {
  /** Returns undefined if trading is not halted. */
  haltedAt(sub: string): Promise<number | undefined>;
  current(sub: string, now: number): Promise<TradingStateSnapshot>;
  /**
   * Halts trading, unless it is already halted.
   * @returns the time when the halt began
   */
  halt(sub: string, by: string, now: number): Promise<number>;
  /**
   * Allows only orders that reduce positions. Does not lift a halt, and does not shorten an existing restriction that
   * ends later.
   * @param until time when the restriction ends automatically; undefined if it does not
   */
  reduce(sub: string, by: string, until: number | undefined, now: number): Promise<TradingStateSnapshot>;
  /**
   * Lifts the halt or, if there is no halt, the restriction to reducing positions.
   * @param since the start time that the caller read; nothing is lifted if it differs
   * @returns whether something was lifted
   */
  lift(sub: string, since: number, now: number): Promise<boolean>;
}
