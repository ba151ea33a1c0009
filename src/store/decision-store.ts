import type { PolicyReason } from '../trading/policy-reasons.ts';

/** A policy decision that allowed or denied an order, with all facts that the decision was based on. */
export interface NewPolicyDecision {
  /** The account owner's `sub`. */
  readonly sub: string;
  readonly client: string;
  readonly account: string;
  readonly action: string;
  /** When the decision was made: before approval was requested (`proposal`), or before the order was sent (`order`). */
  readonly stage: 'proposal' | 'order';
  /** The order's `client_order_id`. */
  readonly subjectId: string;
  readonly effect: 'allow' | 'deny';
  readonly reasons: readonly PolicyReason[];
  readonly texts: readonly string[];
  readonly limit?: string | undefined;
  readonly value?: string | null | undefined;
  readonly policy: string;
  /** All facts that the decision was based on, as plain JSON without tokens. */
  readonly facts: unknown;
}

export interface StoredPolicyDecision extends NewPolicyDecision {
  /** Higher than the ID of every earlier decision. */
  readonly id: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/**
 * Policy decisions in the gateway's database. For each person, the store keeps only the newest decisions. Denials and
 * permits have separate limits, so that denials can't displace the decisions about placed orders.
 */
export interface DecisionStore {
  note(note: NewPolicyDecision, now: number): Promise<void>;
  /** Returns the stored decisions about an order, newest first. */
  about(sub: string, subjectId: string): Promise<StoredPolicyDecision[]>;
  /** Returns a person's decisions, newest first. */
  list(
    sub: string,
    query: { readonly effect?: 'allow' | 'deny' | undefined; readonly limit: number },
  ): Promise<StoredPolicyDecision[]>;
}
