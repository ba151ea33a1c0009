import type { Permission } from '../../trading/permissions.ts';

interface Question {
  /** The `sub` of a verified token. */
  readonly user: string;
  readonly relation: Permission;
  /** The `sub` of the account's owner. */
  readonly account: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/**
 * Decides who may do what on whose account. The caller chooses no part of a question: the person comes from the token, the
 * account from the proposal, and the time from the gateway's clock. Answers are not cached.
 *
 * @example
 * ```ts
 * import type { Relations } from './relations.ts';
 *
 * // Only the owner may do anything.
 * export const alone: Relations = {
 *   check: async ({ user, account }) => user === account,
 *   seconds: async () => [],
 * };
 * ```
 */
export interface Relations {
  /** @throws {RelationsUnavailable} without a valid answer within half a second, which means no */
  check(question: Question): Promise<boolean>;
  /**
   * Returns who can approve as second person (`can_approve_second`), in the order to ask them. May contain the owner.
   * @throws {RelationsUnavailable}
   */
  seconds(account: string, at: number): Promise<string[]>;
}

/** The server is down, slow, or returned an invalid answer. The action is denied. */
export class RelationsUnavailable extends Error {
  override name = 'RelationsUnavailable';
}
