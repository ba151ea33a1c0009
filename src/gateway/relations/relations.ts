import type { Permission } from '../../trading/permissions.ts';

interface Question {
  /** The `sub` of a verified token. */
  readonly user: string;
  readonly relation: Permission;
  /** The `sub` of the account's owner. */
  readonly account: string;
  /** Time of the check, in milliseconds since the epoch. */
  readonly at: number;
}

/**
 * Decides who may do what in whose account. Clients can't choose what is checked: the person comes from the token, the
 * account from the proposal, and the time from the gateway's clock. Results are not cached.
 *
 * @example
 * ```ts
 * import type { Relations } from './relations.ts';
 *
 * // Only the owner may do anything.
 * export const alone: Relations = {
 *   check: async ({ user, account }) => user === account,
 *   secondApprovers: async () => [],
 * };
 * ```
 */
export interface Relations {
  /** Returns whether the action is allowed. @throws {RelationsUnavailableError} if no valid response arrives in time */
  check(question: Question): Promise<boolean>;
  /**
   * Returns the people who may give the second approval (`can_approve_second`), in the order in which they are asked.
   * May include the owner.
   * @throws {RelationsUnavailableError}
   */
  secondApprovers(account: string, at: number): Promise<string[]>;
}

/** Thrown if the relations server is down or slow, or its response is invalid. The action is then denied. */
export class RelationsUnavailableError extends Error {
  override name = 'RelationsUnavailable';
}
