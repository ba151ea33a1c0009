import type { ProposalReason, StoredProposal } from '../store/proposal-store.ts';
import { HttpProblem } from '../trading/http-problem.ts';
import { getKindDefinition, kinds, type ProposalKind } from '../trading/kinds/kinds.ts';
import { type Permission, permissionToPropose } from '../trading/permissions.ts';
import type { Proposer } from './kind.ts';

/**
 * Checks who may act on which account. The kernel calls it before it asks for an approval, and again right before it
 * executes the proposal. A relation that can't be determined counts as missing.
 */
export interface AccessControl {
  /** @throws {HttpProblem} 403 `policy_denied` (`RELATION_DENIED`, `RELATION_UNAVAILABLE`) if permission is missing */
  require(who: string, question: Permission, account: string): Promise<void>;
  /**
   * Returns a person who can give the second approval.
   * @param excluded people who must not be chosen: the owner and the proposer
   * @throws {HttpProblem} 403 `policy_denied`: `APPROVAL_NEEDS_SECOND` if there is no such person,
   *   `RELATION_UNAVAILABLE`
   */
  findSecondApprover(account: string, excluded: readonly string[]): Promise<string>;
}

/**
 * Returns the caller as a proposer for the account's owner. Drops the token of any other caller, because only the
 * owner's stored credentials give access to the owner's account.
 */
export function proposerForOwner<Who extends Pick<Proposer, 'sub' | 'by' | 'accessToken'>>(
  who: Who,
  owner: string,
): Who {
  return who.sub === owner ? who : { ...who, sub: owner, by: who.sub, accessToken: NO_TOKEN };
}

/** Placeholder for an access token that is not available. */
export const NO_TOKEN = '';

/** Returns a proposer for an owner who has no session. Only stored credentials then give access. */
export function proposerWithoutToken(sub: string): Proposer {
  return { sub, clientId: '', accessToken: NO_TOKEN };
}

interface Parties {
  readonly kind: ProposalKind;
  readonly owner: string;
  readonly proposer: string;
  readonly second?: string | undefined;
}

/**
 * Requires that everyone involved in a proposal is still permitted to propose or approve it.
 * @throws {HttpProblem} 403 `policy_denied`: `RELATION_DENIED`, `RELATION_UNAVAILABLE`
 */
export async function requireProposalAccess(
  access: AccessControl,
  { kind, owner, proposer, second }: Parties,
): Promise<void> {
  const question = permissionToPropose[kind];
  if (question === undefined) {
    // Proposals of this kind concern no account, so there is no relation to check: people make them only for
    // themselves.
    if (proposer === owner) return;
    throw new HttpProblem(403, 'policy_denied', `a proposal of kind ${kind} can only be made for your own account`, {
      hint: 'Omit "for".',
      members: { reason: 'RELATION_DENIED', reasons: ['RELATION_DENIED'] },
      challenge: {},
    });
  }
  await access.require(proposer, question, owner);
  await access.require(owner, 'can_approve', owner);
  if (second !== undefined) await access.require(second, 'can_approve_second', owner);
}

/** Returns whether proposals of this kind, such as a cancellation, may be made and executed during a halt. */
export function isAllowedDuringHalt(kind: ProposalKind): boolean {
  return kinds[kind].passesHalt;
}

export const revokedReason: ProposalReason = {
  code: 'approval_cancelled',
  text: 'withdrawn: the proposer’s sign-in has ended',
};

export const haltedReason = {
  code: 'policy_denied',
  text: 'trading is halted',
  members: { reason: 'TRADING_HALTED', reasons: ['TRADING_HALTED'] },
} as const satisfies ProposalReason;

/** Returns the ID of the mandate that approves a proposal; undefined if the owner has to be asked. */
export function findApprovingMandate({ kind, subject }: Pick<StoredProposal, 'kind' | 'subject'>): string | undefined {
  return getKindDefinition(kind).mandate?.(subject);
}
