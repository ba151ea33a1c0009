import type { StandingOrderState } from '../trading/mandate/mandate.ts';

export interface StandingOrder {
  readonly sub: string;
  readonly mandate: string;
  /** The client that proposed the mandate. */
  readonly client: string;
  /** Time when the next order is due, in milliseconds since the epoch. Null if the standing order waits for a price. */
  readonly dueAt: number | null;
  readonly state: StandingOrderState['state'];
  readonly last: StandingOrderState['last'];
}

export interface StandingOrderStep extends Pick<StandingOrder, 'dueAt' | 'state' | 'last'> {
  readonly event: 'standing_ordered' | 'standing_refused' | 'standing_missed' | 'standing_ended';
}

/**
 * Standing orders. Each is created with its mandate, and the gateway polls for its due time. This store does not
 * prevent two orders for the same due time: the proposal's Idempotency-Key and the mandate's slot prevent that.
 */
export interface StandingOrderStore {
  /** Returns the active standing orders of all users. */
  watched(): Promise<StandingOrder[]>;
  find(sub: string, mandate: string): Promise<StandingOrder | undefined>;
  /**
   * Writes the standing order's next state and the audit log entry. Returns false and writes nothing if the standing
   * order has changed since `seen` was read.
   */
  step(seen: StandingOrder, next: StandingOrderStep, now: number): Promise<boolean>;
}
