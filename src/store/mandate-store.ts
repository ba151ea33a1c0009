import type { MandateEnvelope } from '../trading/mandate/envelope.ts';
import type { CountedTerms, KeptMandateState } from '../trading/mandate/mandate.ts';
import type { Approval } from './used-approval.ts';

/** A mandate as the gateway keeps it. Times are milliseconds since the epoch. */
export interface StoredMandate {
  readonly id: string;
  readonly sub: string;
  readonly terms: MandateEnvelope;
  readonly state: KeptMandateState;
  readonly createdAt: number;
  readonly updatedAt: number;
}

/** What a person approved to become a mandate. */
export interface GrantedMandate extends Pick<StoredMandate, 'id' | 'sub' | 'terms'> {
  /** Of what was approved: the proposal's own digest. */
  readonly digest: string;
  /** Usable once. */
  readonly approval: Approval;
  /** The client that asked for it: whose name the gateway's own orders under it go by. */
  readonly client: string;
}

/** A mandate, and how far it was used as of one moment; `inSlot` is 0 where no slot was asked about. */
export interface CountedMandate extends StoredMandate, CountedTerms {}

/** Which uses are counted apart. */
export interface MandateQuery {
  /** When the day began in New York, milliseconds since the epoch. */
  readonly since: number;
  readonly slot?: MandateSlot | undefined;
}

/** What a mandate is used for at most so often. */
export interface MandateSlot {
  /** Empty where it is used on demand. */
  readonly slot: string;
  readonly symbol: string;
  readonly side: 'buy' | 'sell';
}

/**
 * The mandates that people gave, and how far each is used. Each method is one unit of work, with its line of the record.
 * What an order uses of one is written by the order's own claim (`OrderJournal.claim`), in its transaction, and is given
 * back with its refusal; nothing here does. A mandate's terms never change.
 */
export interface MandateStore {
  /**
   * Keeps what was approved, uses the approval, and ends the mandate whose place it takes; a standing order is watched from
   * then on. `known`: the same was granted
   * before. `approval_used`: for something else. `not_replaceable`: there is no such mandate of theirs, or it has ended.
   * In each of the three nothing was written.
   */
  grant(
    mandate: GrantedMandate,
    now: number,
  ): Promise<'granted' | 'known' | 'approval_used' | 'not_replaceable'>;
  find(sub: string, id: string, query: MandateQuery): Promise<CountedMandate | undefined>;
  /** Of one person, newest first. */
  list(sub: string, query: MandateQuery): Promise<CountedMandate[]>;
  /**
   * Suspends or ends one. `barred`: nothing of its state can become that; `unknown`: there is none of theirs.
   * @param by the client, or `phone`
   */
  end(
    key: { readonly sub: string; readonly id: string },
    to: 'suspended' | 'revoked',
    by: string,
    now: number,
  ): Promise<'ended' | 'barred' | 'unknown'>;
}
