import type { TradingState } from '../trading/policy-views.ts';

export interface TradingStateSnapshot {
  readonly state: TradingState;
  /** Time when the halt or restriction began. Undefined while trading is active. */
  readonly since?: number;
  /** Time when the restriction ends automatically. Undefined if it does not end automatically. */
  readonly until?: number;
  /** The client that set the state, or `max_day_loss` if that limit was exceeded. */
  readonly by?: string;
}

export const HALTED_BY_MAX_DAY_LOSS = 'max_day_loss';

/**
 * Stores whether each person's trading is halted, or restricted to orders that reduce positions. The state is in the
 * gateway's database, so that halts survive restarts and apply to all interfaces. Each change is one transaction that
 * includes its audit log entry. Times are milliseconds since the epoch.
 */
export interface HaltStore {
  haltedAt(sub: string): Promise<number | undefined>;
  current(sub: string, now: number): Promise<TradingStateSnapshot>;
  /** Halts trading. Does nothing if it is already halted. @returns the time when the halt began */
  halt(sub: string, by: string, now: number): Promise<number>;
  /**
   * Restricts trading to orders that reduce positions. Does not lift a halt, and does not shorten an existing
   * restriction that ends later.
   * @param until time when the restriction ends automatically; undefined if it does not end automatically
   */
  restrict(sub: string, by: string, until: number | undefined, now: number): Promise<TradingStateSnapshot>;
  /**
   * Lifts the halt. If there is no halt, lifts the restriction to orders that reduce positions.
   * @param since the start of the state that the caller read; nothing is lifted if the state changed meanwhile
   * @returns whether a halt or restriction was lifted
   */
  lift(sub: string, since: number, now: number): Promise<boolean>;
}
