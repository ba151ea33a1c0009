import type { RelationQuestion } from '../../trading/relations.ts';

interface Question {
  /** The `sub` of a verified token. */
  readonly user: string;
  readonly relation: RelationQuestion;
  /** The `sub` of the account's owner. */
  readonly account: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/**
 * Who may do what about whose account. No part of a question is chosen by the caller: the person comes from the token, the
 * account from the proposal, the time from the gateway's clock. Answers are not cached.
 *
 * @example
 * ```ts
 * import type { Relations } from './relations.ts';
 *
 * // Nobody but the owner may anything.
 * export const alone: Relations = {
 *   check: async ({ user, account }) => user === account,
 *   seconds: async () => [],
 * };
 * ```
 */
export interface Relations {
  /** @throws {RelationsUnavailable} without a valid answer within half a second: that means no */
  check(question: Question): Promise<boolean>;
  /**
   * Who can approve as second person (`can_approve_second`), in the order to ask them; may contain the owner.
   * @throws {RelationsUnavailable}
   */
  seconds(account: string, at: number): Promise<string[]>;
}

/** Down, slow, or an invalid answer: the action is refused. */
export class RelationsUnavailable extends Error {
  override name = 'RelationsUnavailable';
}
