import type { RelationQuestion } from '../../trading/relations.ts';

/** One question: may this person do that about this account, at that moment? */
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
 * Who stands how to an account. Nothing that a caller sends goes into a question: who they are is told by their token, whose
 * account it is by the proposal, and the time by the gateway's clock. Each answer counts for the moment it was given at;
 * none is kept.
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
  /** @throws {RelationsUnavailable} where there is no sound answer within half a second: that means no */
  check(question: Question): Promise<boolean>;
  /**
   * Who can give the second yes about an account (`can_approve_second`), in the order in which they are to be asked; the owner
   * may be among them. @throws {RelationsUnavailable}
   */
  seconds(account: string, at: number): Promise<string[]>;
}

/** Down, slow, or an answer that is none: whatever was to be done isn't. */
export class RelationsUnavailable extends Error {
  override name = 'RelationsUnavailable';
}
