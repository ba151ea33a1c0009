import type { AccessRole } from '../trading/kinds/access.ts';

/** One line of who stands how to an account. Times are milliseconds since the epoch. */
export interface AccessGrant {
  readonly id: string;
  /** The `sub` of the account's owner: a person has one account here. */
  readonly account: string;
  readonly role: AccessRole;
  /** A person's `sub`; for `firm` and `household` the name of such. */
  readonly who: string;
  /** The firm that an advisor works for, the household that a member is of; null for who stands for themselves. */
  readonly of: string | null;
  readonly from: number;
  /** From then on no more; null for good. */
  readonly until: number | null;
  readonly grantedAt: number;
  readonly revokedAt: number | null;
}

/** A grant as it is made. */
export type NewAccessGrant = Omit<AccessGrant, 'grantedAt' | 'revokedAt'>;

/**
 * Who stands how to whose account, where the gateway keeps that itself. Each method is one unit of work; what changes
 * something writes its line of the record along. A grant is never changed: it is ended, and another one made.
 */
export interface AccessStore {
  /** Keeps a grant; `known` where there is one of this id already, ended or not: nothing was written then. */
  grant(grant: NewAccessGrant, now: number): Promise<'granted' | 'known'>;
  /** Ends one of this account's; false where there is none that still stands. */
  revoke(account: string, id: string, now: number): Promise<boolean>;
  /** Those to an account that are not revoked, of whatever time, oldest first. */
  to(account: string): Promise<AccessGrant[]>;
  /** Those that name this person and are not revoked, oldest first. */
  of(who: string): Promise<AccessGrant[]>;
  /** Ends all that this person gave or was given: they have left. */
  endPerson(sub: string, now: number): Promise<void>;
}
