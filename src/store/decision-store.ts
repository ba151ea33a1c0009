import type { PolicyReason } from '../trading/policy-reasons.ts';

/** What was decided about an order, and by what: kept with every refusal, and with every order that was let go out. */
export interface DecisionNote {
  /** Whose account it is, and by which client it was asked for. */
  readonly sub: string;
  readonly client: string;
  readonly account: string;
  readonly action: string;
  /** When: before the person was asked, or when the order was to be carried out. */
  readonly stage: 'proposal' | 'order';
  /** The order's client_order_id. */
  readonly subjectId: string;
  readonly effect: 'allow' | 'deny';
  readonly reasons: readonly PolicyReason[];
  readonly texts: readonly string[];
  readonly limit?: string | undefined;
  readonly value?: string | null | undefined;
  /** Digest of the rules. */
  readonly policy: string;
  /** All that was known, plain JSON; never holds a token. */
  readonly facts: unknown;
}

export interface StoredDecision extends DecisionNote {
  /** Rises with each. */
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/**
 * The decisions, in the gateway's database. Of each person the newest are kept, refusals and the others apart, so that
 * many refusals leave the orders' own in place: the store says how many.
 */
export interface DecisionStore {
  note(note: DecisionNote, now: number): Promise<void>;
  /** What was decided about one thing of a person's, newest first, as far as it is kept. */
  about(sub: string, subjectId: string): Promise<StoredDecision[]>;
  /** A person's own, newest first. */
  list(
    sub: string,
    query: { readonly effect?: 'allow' | 'deny' | undefined; readonly limit: number },
  ): Promise<StoredDecision[]>;
}
