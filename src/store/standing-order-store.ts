import type { MandateEnvelope } from '../trading/mandate/envelope.ts';
import type { StandingOrderState, StoredMandateState } from '../trading/mandate/mandate.ts';

/** How long a process keeps standing orders that it claimed, in milliseconds. */
export const STANDING_CLAIM_MS = 60_000;
/**
 * Maximum time until a standing order's next check, in milliseconds. A later time was set by a clock that has since been
 * set back, so it counts as due.
 */
export const MAX_CHECK_DELAY_MS = 86_400_000;

export interface StandingOrder {
  readonly sub: string;
  readonly mandate: string;
  /** The client that proposed the mandate. */
  readonly client: string;
  readonly symbol: string;
  /** Time when the next order is due, in milliseconds since the epoch. Null if the standing order waits for a price. */
  readonly dueAt: number | null;
  readonly state: StandingOrderState['state'];
  readonly last: StandingOrderState['last'];
}

export interface StandingOrderStep extends Pick<StandingOrder, 'dueAt' | 'state' | 'last'> {
  readonly event: 'standing_ordered' | 'standing_refused' | 'standing_missed' | 'standing_ended';
}

/** A standing order that is due for a check, with the mandate's fields that the check needs. */
export interface DueStandingOrder extends StandingOrder {
  readonly terms: MandateEnvelope;
  readonly mandateState: StoredMandateState;
}

/** The standing orders that a process claimed with one call. */
export interface StandingOrderClaim {
  /** Time when the claim ends, in milliseconds since the epoch. Identifies the claim. */
  readonly until: number;
  readonly orders: readonly DueStandingOrder[];
}

/**
 * Standing orders. Each is created with its mandate, and its row has the time of its next check. A process claims due
 * standing orders before it checks them, and releases them afterwards. If the process dies, its claim ends, and the
 * orders become due again. A new standing order, or a standing order whose mandate has ended, is due at once.
 *
 * This store does not prevent two orders for the same due time: the proposal's Idempotency-Key and the mandate's slot
 * prevent that. Claims only keep two processes from doing the same work.
 *
 * A database that several processes share ignores `now` and uses its own clock, except for audit log entries.
 */
export interface StandingOrderStore {
  /** Claims at most `limit` due standing orders: the longest overdue first, then by symbol. */
  claimDue(limit: number, now: number): Promise<StandingOrderClaim>;
  /**
   * Ends a claim. Changes nothing about a standing order that has ended, that another process has since claimed, or
   * whose mandate has since ended.
   * @param delayOf returns the milliseconds until a standing order's next check
   */
  release(claim: StandingOrderClaim, delayOf: (order: DueStandingOrder) => number, now: number): Promise<void>;
  find(sub: string, mandate: string): Promise<StandingOrder | undefined>;
  /**
   * Writes the standing order's next state and the audit log entry. Returns false and writes nothing if the standing
   * order has changed since `seen` was read.
   */
  step(seen: StandingOrder, next: StandingOrderStep, now: number): Promise<boolean>;
}
