import type { StandingOrderState } from '../trading/mandate/mandate.ts';

/** A standing order, stored next to its mandate. */
export interface StandingOrder {
  readonly sub: string;
  readonly mandate: string;
  /** The client that proposed the mandate. */
  readonly client: string;
  /** Time of the next order, in milliseconds since the epoch. Null if it waits for a price. */
  readonly dueAt: number | null;
  readonly state: StandingOrderState['state'];
  readonly last: StandingOrderState['last'];
}

/** The next state of a standing order. */
export interface StandingStep extends Pick<StandingOrder, 'dueAt' | 'state' | 'last'> {
  /** The event for the audit log. */
  readonly event: 'standing_ordered' | 'standing_refused' | 'standing_missed' | 'standing_ended';
}

/**
 * Standing orders, created with their mandate and polled by the gateway. This store does not prevent duplicate orders for one
 * due time; the key of the proposal and the mandate's slot do.
 */
export interface StandingOrderStore {
  /** Returns all people's standing orders that are active. */
  watched(): Promise<StandingOrder[]>;
  find(sub: string, mandate: string): Promise<StandingOrder | undefined>;
  /** Writes the next state and its audit log entry. Returns false and writes nothing if the order changed since it was read. */
  step(seen: StandingOrder, next: StandingStep, now: number): Promise<boolean>;
}
