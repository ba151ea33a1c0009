import type { StandingNow } from '../trading/mandate/mandate.ts';

/** A standing order as the gateway keeps it, beside its mandate. */
export interface StandingOrder {
  readonly sub: string;
  readonly mandate: string;
  /** The client that asked for the mandate. */
  readonly client: string;
  /** Which of its times is the next to be placed, milliseconds since the epoch; null where it waits for a price. */
  readonly dueAt: number | null;
  readonly state: StandingNow['state'];
  readonly last: StandingNow['last'];
}

/** How it goes on. */
export interface StandingStep extends Pick<StandingOrder, 'dueAt' | 'state' | 'last'> {
  /** What the record says of it. */
  readonly event: 'standing_ordered' | 'standing_refused' | 'standing_missed' | 'standing_ended';
}

/**
 * Standing orders: written by their mandate's grant, looked at by the gateway's watch. What keeps one to one order each
 * time is not here: the key of its proposal, and the mandate's slot.
 */
export interface StandingStore {
  /** Everybody's that is still watched. */
  watched(): Promise<StandingOrder[]>;
  find(sub: string, mandate: string): Promise<StandingOrder | undefined>;
  /**
   * Goes on from where it was seen, with its line of the record. False where it has gone on since; then nothing is written.
   */
  step(seen: StandingOrder, next: StandingStep, now: number): Promise<boolean>;
}
