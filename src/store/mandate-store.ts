import type { MandateEnvelope } from '../trading/mandate/envelope.ts';
import type { MandateWithUse, StoredMandateState } from '../trading/mandate/mandate.ts';
import type { ApprovalId } from './used-approval.ts';

/** A mandate as stored. Times are milliseconds since the epoch. */
export interface StoredMandate {
  readonly id: string;
  readonly sub: string;
  readonly terms: MandateEnvelope;
  readonly state: StoredMandateState;
  readonly createdAt: number;
  readonly updatedAt: number;
}

export interface GrantedMandate extends Pick<StoredMandate, 'id' | 'sub' | 'terms'> {
  /** Digest of the mandate's proposal. */
  readonly digest: string;
  readonly approval: ApprovalId;
  /** The client that proposed the mandate. The mandate's standing orders are placed on this client's behalf, too. */
  readonly client: string;
}

/** A mandate and how much of it has been used. `inSlot` is 0 if the query has no period (`slot`). */
export interface CountedMandate extends StoredMandate, MandateWithUse {}

export interface MandateQuery {
  /** Start of the day in New York, in milliseconds since the epoch. */
  readonly since: number;
  readonly slot?: MandateSlot | undefined;
}

export interface MandateSlot {
  /** The period. Empty if the mandate may be used at any time (see `Cadence`). */
  readonly slot: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
}

/**
 * Mandates and their use. Each method is one transaction that includes its audit log entry. `OrderJournal.claim`
 * records that an order uses its mandate. If the order is rejected, it no longer counts as a use. A mandate's terms
 * never change.
 */
export interface MandateStore {
  /**
   * Stores the mandate with its standing order, uses the approval, and ends the mandate that the new one replaces.
   * Writes nothing and returns `known` if this mandate was already granted, `approval_used` if the approval was used
   * for something else, or `not_replaceable` if the mandate to be replaced has ended or the person has no such mandate.
   */
  grant(mandate: GrantedMandate, now: number): Promise<'granted' | 'known' | 'approval_used' | 'not_replaceable'>;
  find(sub: string, id: string, query: MandateQuery): Promise<CountedMandate | undefined>;
  /** Returns the person's mandates, newest first. */
  list(sub: string, query: MandateQuery): Promise<CountedMandate[]>;
  /**
   * Suspends or revokes a mandate. Returns `barred` if the mandate's state does not allow the change, and `unknown` if
   * there is no such mandate.
   * @param by who ended the mandate: the client's ID, or `phone`
   */
  end(
    key: { readonly sub: string; readonly id: string },
    to: 'suspended' | 'revoked',
    by: string,
    now: number,
  ): Promise<'ended' | 'barred' | 'unknown'>;
}
