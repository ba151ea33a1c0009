import type { AccessRole } from '../trading/kinds/access.ts';

/** A person's or an organization's access to an account. Times are milliseconds since the epoch. */
export interface AccessGrant {
  readonly id: string;
  readonly account: string;
  readonly role: AccessRole;
  /** A person's `sub`, or the name of a `firm` or `household`. */
  readonly who: string;
  /** The advisor's `firm` or the member's `household`. Null for other roles. */
  readonly of: string | null;
  readonly from: number;
  /** Expiry. Null if the grant does not expire. */
  readonly until: number | null;
  readonly grantedAt: number;
  readonly revokedAt: number | null;
}

export type NewAccessGrant = Omit<AccessGrant, 'grantedAt' | 'revokedAt'>;

/**
 * Access to accounts, for gateways that store grants themselves. Each method is one transaction that includes its audit
 * log entry. A grant is never edited: to change a person's access, the grant is revoked and a new one is added.
 */
export interface AccessStore {
  /** Adds a grant. Returns `known` and writes nothing if a grant with this ID exists or existed. */
  grant(grant: NewAccessGrant, now: number): Promise<'granted' | 'known'>;
  /** Revokes a grant. Returns false if the account has no active grant with this ID. */
  revoke(account: string, id: string, now: number): Promise<boolean>;
  /** Returns the account's grants that are not revoked, even if expired or not valid yet. Oldest first. */
  listByAccount(account: string): Promise<AccessGrant[]>;
  /** Returns the person's grants that are not revoked. Oldest first. */
  listByPerson(who: string): Promise<AccessGrant[]>;
  /** Revokes all grants that a departed person gave or received. */
  endPerson(sub: string, now: number): Promise<void>;
}
