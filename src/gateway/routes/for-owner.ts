import { z } from 'zod';
import { type AccessControl, proposerForOwner } from '../../approval/access.ts';
import { accountNumberSchema } from '../../trading/order.ts';
import type { Permission } from '../../trading/permissions.ts';
import type { Caller } from '../auth/caller.ts';
import { parseQuery } from './request.ts';

/** The query parameter `for`: the owner's `sub`, if the account is not the caller's own. */
export const forParameter = { for: z.string().min(1).max(256).optional() };

/** The query parameter `account`: an account number (default: the default account). */
export const accountParameter = { account: accountNumberSchema.optional() };

export const ownerAndAccountParameters = { ...forParameter, ...accountParameter };
const ofAccountQuery = z.strictObject(ownerAndAccountParameters);

/** Parses `for` and `account`. Rejects other parameters. @throws {HttpProblem} 400 `invalid_query` */
export function readAccountQuery(url: string): z.output<typeof ofAccountQuery> {
  return parseQuery(ofAccountQuery, url);
}

const forQuery = z.strictObject(forParameter);

/**
 * Returns the caller unchanged if `owner` is missing or is the caller. Otherwise checks the caller's permission, and
 * returns the caller as the owner's delegate, with the owner's `sub` and without a token.
 * @throws {HttpProblem} 403 `policy_denied` with `RELATION_DENIED` or `RELATION_UNAVAILABLE`
 */
export type ResolveOwner = (caller: Caller, owner: string | undefined, question: Permission) => Promise<Caller>;

export function createOwnerResolver(access: Pick<AccessControl, 'require'>): ResolveOwner {
  return async (caller, owner = caller.sub, question) => {
    // Skips the check for a person's own account, so that it never depends on another server's relations.
    if (owner !== caller.sub) await access.require(caller.sub, question, owner);
    return proposerForOwner(caller, owner);
  };
}

/** Parses `for`. Rejects other parameters. @throws {HttpProblem} 400 `invalid_query` */
export function readOwnerQuery(url: string): string | undefined {
  return parseQuery(forQuery, url).for;
}
