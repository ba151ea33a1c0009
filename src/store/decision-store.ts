import type { PolicyReason } from '../trading/policy-reasons.ts';

/**
 * A policy decision about an order, and everything that it was based on. Stored whether the order was allowed or
 * denied.
 */
export interface DecisionNote {
  /** The account's owner, and the client that requested the order. */
  readonly sub: string;
  readonly client: string;
  readonly account: string;
  readonly action: string;
  /** Stage of the decision: before approval was requested, or before the order was sent. */
  readonly stage: 'proposal' | 'order';
  /** The order's `client_order_id`. */
  readonly subjectId: string;
  readonly effect: 'allow' | 'deny';
  readonly reasons: readonly PolicyReason[];
  readonly texts: readonly string[];
  readonly limit?: string | undefined;
  readonly value?: string | null | undefined;
  /** Digest of the policy. */
  readonly policy: string;
  /** All facts that the decision was based on, as plain JSON without tokens. */
  readonly facts: unknown;
}

export interface StoredDecision extends DecisionNote {
  /** Higher than the IDs of earlier decisions. */
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/**
 * Policy decisions in the gateway's database. For each person, the store keeps only the newest ones, with separate
 * limits for denials and permits, so that many denials do not displace the decisions about placed orders.
 */
export interface DecisionStore {
  note(note: DecisionNote, now: number): Promise<void>;
  /** Returns the stored decisions about one of a person's orders. Newest first. */
  about(sub: string, subjectId: string): Promise<StoredDecision[]>;
  /** Returns a person's decisions. Newest first. */
  list(
    sub: string,
    query: { readonly effect?: 'allow' | 'deny' | undefined; readonly limit: number },
  ): Promise<StoredDecision[]>;
}
