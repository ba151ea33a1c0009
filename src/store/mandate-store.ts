import type { MandateEnvelope } from '../trading/mandate/envelope.ts';
import type { CountedTerms, KeptMandateState } from '../trading/mandate/mandate.ts';
import type { Approval } from './used-approval.ts';

/** Times are milliseconds since the epoch. */
export interface StoredMandate {
  readonly id: string;
  readonly sub: string;
  readonly terms: MandateEnvelope;
  readonly state: KeptMandateState;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** An approved mandate. */
export interface GrantedMandate extends Pick<StoredMandate, 'id' | 'sub' | 'terms'> {
  /** The proposal's. */
  readonly digest: string;
  /** Usable once. */
  readonly approval: Approval;
  /** The client that asked for it, in whose name the gateway places its own orders under it. */
  readonly client: string;
}

/** A mandate and its use at one moment; `inSlot` is 0 if no slot was asked about. */
export interface CountedMandate extends StoredMandate, CountedTerms {}

export interface MandateQuery {
  /** When the day began in New York. */
  readonly since: number;
  readonly slot?: MandateSlot | undefined;
}

export interface MandateSlot {
  /** Empty on demand. */
  readonly slot: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
}

/**
 * Mandates and their use. Each method is one transaction, with its line of the record. What an order uses of one is written in
 * the order's own claim (`OrderJournal.claim`), and given back with its refusal. A mandate's terms never change.
 */
export interface MandateStore {
  /**
   * Stores the mandate, uses the approval, ends the mandate that it replaces, and starts its standing order. `known`: granted
   * before. `approval_used`: for something else. `not_replaceable`: the person has no such mandate, or it has ended. Nothing
   * is written in these three cases.
   */
  grant(
    mandate: GrantedMandate,
    now: number,
  ): Promise<'granted' | 'known' | 'approval_used' | 'not_replaceable'>;
  find(sub: string, id: string, query: MandateQuery): Promise<CountedMandate | undefined>;
  /** Newest first. */
  list(sub: string, query: MandateQuery): Promise<CountedMandate[]>;
  /**
   * Suspends or revokes one. `barred`: its state does not allow that; `unknown`: the person has none of this id.
   * @param by the client, or `phone`
   */
  end(
    key: { readonly sub: string; readonly id: string },
    to: 'suspended' | 'revoked',
    by: string,
    now: number,
  ): Promise<'ended' | 'barred' | 'unknown'>;
}
