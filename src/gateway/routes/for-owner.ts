import { z } from 'zod';
import { type Access, actingFor } from '../../approval/access.ts';
import { accountNumberSchema } from '../../trading/order.ts';
import type { RelationQuestion } from '../../trading/relations.ts';
import type { Caller } from '../door/caller.ts';
import { parseQuery } from './query.ts';

/** Whose account it is about, where that is not the caller's own: the owner's `sub`. */
export const forParameter = { for: z.string().min(1).max(256).optional() };

/** Which of their accounts, by its number: their default one where it is left out. */
export const accountParameter = { account: accountNumberSchema.optional() };

/** What is about one account names whose and which. */
export const ofAccount = { ...forParameter, ...accountParameter };
const ofAccountQuery = z.strictObject(ofAccount);

/** The account that a request names, of a route that takes nothing else. @throws {Refusal} 400 `invalid_query` */
export function accountNamed(url: string): z.output<typeof ofAccountQuery> {
  return parseQuery(ofAccountQuery, url);
}

/** For a route that takes nothing else. */
const forQuery = z.strictObject(forParameter);

/**
 * The caller, or their standing in for the owner they name: with that person's `sub`, and no token of theirs.
 * @throws {Refusal} 403 `policy_denied` with `RELATION_DENIED` or `RELATION_UNAVAILABLE`
 */
export type StandIn = (
  caller: Caller,
  owner: string | undefined,
  question: RelationQuestion,
) => Promise<Caller>;

export function standingIn(access: Pick<Access, 'require'>): StandIn {
  return async (caller, owner = caller.sub, question) => {
    // One's own account is looked at by one's own token: whoever asks for rights elsewhere still has that.
    if (owner !== caller.sub) await access.require(caller.sub, question, owner);
    return actingFor(caller, owner);
  };
}

/** The owner that a request names, of a route that takes nothing else. @throws {Refusal} 400 `invalid_query` */
export function ownerNamed(url: string): string | undefined {
  return parseQuery(forQuery, url).for;
}
