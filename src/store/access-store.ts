import type { AccessRole } from '../trading/kinds/access.ts';

/** A person's relation to an account. Times are milliseconds since the epoch. */
export interface AccessGrant {
  readonly id: string;
  /** The owner's `sub`. */
  readonly account: string;
  readonly role: AccessRole;
  /** A person's `sub`; the name of a `firm` or `household`. */
  readonly who: string;
  /** An advisor's firm, a member's household; null for none. */
  readonly of: string | null;
  readonly from: number;
  /** Null for no end. */
  readonly until: number | null;
  readonly grantedAt: number;
  readonly revokedAt: number | null;
}

export type NewAccessGrant = Omit<AccessGrant, 'grantedAt' | 'revokedAt'>;

/**
 * Who has which access to whose account, if the gateway keeps that itself. Each method is one transaction, with its line of the
 * record. A grant never changes: it is revoked, and another one made.
 */
export interface AccessStore {
  /** `known`: the id is taken, by a revoked grant too; nothing was written. */
  grant(grant: NewAccessGrant, now: number): Promise<'granted' | 'known'>;
  /** False if the account has no such active grant. */
  revoke(account: string, id: string, now: number): Promise<boolean>;
  /** Those to an account that are not revoked, even if expired or not yet valid; oldest first. */
  to(account: string): Promise<AccessGrant[]>;
  /** Those of a person that are not revoked, oldest first. */
  of(who: string): Promise<AccessGrant[]>;
  /** Revokes all that a person who left gave or was given. */
  endPerson(sub: string, now: number): Promise<void>;
}
