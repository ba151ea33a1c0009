import type { StandingOrderState } from '../trading/mandate/mandate.ts';

/** A standing order, stored next to its mandate. */
export interface StandingOrder {
  readonly sub: string;
  readonly mandate: string;
  /** The client that proposed the mandate. */
  readonly client: string;
  /** Time of the next order, in milliseconds since the epoch. Null if the order waits for a price. */
  readonly dueAt: number | null;
  readonly state: StandingOrderState['state'];
  readonly last: StandingOrderState['last'];
}

export interface StandingOrderStep extends Pick<StandingOrder, 'dueAt' | 'state' | 'last'> {
  readonly event: 'standing_ordered' | 'standing_refused' | 'standing_missed' | 'standing_ended';
}

/**
 * Standing orders, created with their mandates and polled by the gateway. This store does not prevent two orders for
 * the same due time: the proposal's key and the mandate's slot do.
 */
export interface StandingOrderStore {
  /** Returns all people's standing orders that are active. */
  watched(): Promise<StandingOrder[]>;
  find(sub: string, mandate: string): Promise<StandingOrder | undefined>;
  /**
   * Writes the next state and its audit log entry. Returns false and writes nothing if the standing order has changed
   * since it was read.
   */
  step(seen: StandingOrder, next: StandingOrderStep, now: number): Promise<boolean>;
}
