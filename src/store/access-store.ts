import type { AccessRole } from '../trading/kinds/access.ts';

/** A person's relation to an account. Times are milliseconds since the epoch. */
export interface AccessGrant {
  readonly id: string;
  /** The owner's `sub`. */
  readonly account: string;
  readonly role: AccessRole;
  /** A person's `sub`, or the name of a `firm` or `household`. */
  readonly who: string;
  /** The advisor's firm or the member's household; null for other roles. */
  readonly of: string | null;
  readonly from: number;
  /** Null if the grant does not expire. */
  readonly until: number | null;
  readonly grantedAt: number;
  readonly revokedAt: number | null;
}

export type NewAccessGrant = Omit<AccessGrant, 'grantedAt' | 'revokedAt'>;

/**
 * Access to accounts, for gateways that store access themselves. Each method is one transaction that includes its audit
 * log entry. A grant never changes, but is revoked and replaced by a new grant.
 */
export interface AccessStore {
  /** Returns `known` and writes nothing if the ID is taken, even by a revoked grant. */
  grant(grant: NewAccessGrant, now: number): Promise<'granted' | 'known'>;
  /** Returns false if the account has no active grant with this ID. */
  revoke(account: string, id: string, now: number): Promise<boolean>;
  /** Returns the account's grants that are not revoked, including expired and not yet valid ones. Oldest first. */
  to(account: string): Promise<AccessGrant[]>;
  /** Returns the person's grants that are not revoked. Oldest first. */
  of(who: string): Promise<AccessGrant[]>;
  /** Revokes all grants that a person who left gave or received. */
  endPerson(sub: string, now: number): Promise<void>;
}
