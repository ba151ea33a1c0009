import type { MandateEnvelope } from '../trading/mandate/envelope.ts';
import type { CountedMandateTerms, StoredMandateState } from '../trading/mandate/mandate.ts';
import type { Approval } from './used-approval.ts';

/** A mandate in the store. Times are milliseconds since the epoch. */
export interface StoredMandate {
  readonly id: string;
  readonly sub: string;
  readonly terms: MandateEnvelope;
  readonly state: StoredMandateState;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** An approved mandate. */
export interface GrantedMandate extends Pick<StoredMandate, 'id' | 'sub' | 'terms'> {
  /** The proposal's digest. */
  readonly digest: string;
  /** Usable once. */
  readonly approval: Approval;
  /** The client that proposed it, in whose name the gateway places standing orders under it. */
  readonly client: string;
}

/** A mandate with its current use. `inSlot` is 0 if the query has no slot. */
export interface CountedMandate extends StoredMandate, CountedMandateTerms {}

export interface MandateQuery {
  /** Start of the day in New York. */
  readonly since: number;
  readonly slot?: MandateSlot | undefined;
}

export interface MandateSlot {
  /** Empty for orders on demand. */
  readonly slot: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
}

/**
 * Mandates and their use. Each method is one transaction that includes its audit log entry. An order's use of a mandate is
 * written in the order's claim (`OrderJournal.claim`) and returned if the order is refused. A mandate's terms never change.
 */
export interface MandateStore {
  /**
   * Stores the mandate, uses the approval, ends the mandate that it replaces, and starts its standing order. Writes nothing
   * and returns `known` if it was granted before, `approval_used` if the approval was used for something else, and
   * `not_replaceable` if the person has no such mandate to replace or it has ended.
   */
  grant(mandate: GrantedMandate, now: number): Promise<'granted' | 'known' | 'approval_used' | 'not_replaceable'>;
  find(sub: string, id: string, query: MandateQuery): Promise<CountedMandate | undefined>;
  /** Newest first. */
  list(sub: string, query: MandateQuery): Promise<CountedMandate[]>;
  /**
   * Suspends or revokes a mandate. Returns `barred` if its state does not allow that, and `unknown` if there is none.
   * @param by the client, or `phone`
   */
  end(
    key: { readonly sub: string; readonly id: string },
    to: 'suspended' | 'revoked',
    by: string,
    now: number,
  ): Promise<'ended' | 'barred' | 'unknown'>;
}
