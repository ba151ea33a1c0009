import type { Reason, StoredProposal } from '../store/proposal-store.ts';
import { HttpProblem } from '../trading/http-problem.ts';
import { kinds, kindWords, type ProposalKind } from '../trading/kinds/kinds.ts';
import { type Permission, permissionToPropose } from '../trading/permissions.ts';
import type { Proposer } from './kind.ts';

/**
 * The relations between people and accounts. The kernel checks them before a phone rings, and again right before an
 * execution. If a relation cannot be determined, the answer is no.
 */
export interface Access {
  /** @throws {Refusal} 403 `policy_denied`: `RELATION_DENIED`, `RELATION_UNAVAILABLE` */
  require(who: string, question: Permission, account: string): Promise<void>;
  /**
   * Returns a person who can give the second approval.
   * @param but people who can't: the owner and the proposer
   * @throws {Refusal} 403 `policy_denied`: `APPROVAL_NEEDS_SECOND` if there is nobody, `RELATION_UNAVAILABLE`
   */
  second(account: string, but: readonly string[]): Promise<string>;
}

/**
 * Returns a caller as acting for an account's owner. If they are not the owner, their token is dropped, since it opens
 * nothing of the owner's: only credentials stored for the owner do.
 */
export function actingFor<Who extends Pick<Proposer, 'sub' | 'by' | 'accessToken'>>(who: Who, owner: string): Who {
  return who.sub === owner ? who : { ...who, sub: owner, by: who.sub, accessToken: NO_TOKEN };
}

/** Stands for a token when there is none of the owner's. */
export const NO_TOKEN = '';

/** Acts for an owner without a session: only credentials stored for them open their account. */
export function askerWithoutToken(sub: string): Proposer {
  return { sub, clientId: '', accessToken: NO_TOKEN };
}

/** The people who are involved in a proposal. */
interface Parties {
  readonly kind: ProposalKind;
  readonly owner: string;
  readonly proposer: string;
  readonly second?: string | undefined;
}

/**
 * Requires that everyone involved in a proposal may still have their part in it.
 * @throws {Refusal} 403 `policy_denied`: `RELATION_DENIED`, `RELATION_UNAVAILABLE`
 */
export async function authorizeProposal(access: Access, { kind, owner, proposer, second }: Parties): Promise<void> {
  const question = permissionToPropose[kind];
  if (question === undefined) {
    // It is about no account, so relations do not matter: it can only be one's own.
    if (proposer === owner) return;
    throw new HttpProblem(403, 'policy_denied', `a ${kind} can only be proposed for your own account`, {
      hint: 'Leave out "for".',
      members: { reason: 'RELATION_DENIED', reasons: ['RELATION_DENIED'] },
      challenge: {},
    });
  }
  await access.require(proposer, question, owner);
  await access.require(owner, 'can_approve', owner);
  if (second !== undefined) await access.require(second, 'can_approve_second', owner);
}

/** Whether a kind is allowed during a halt: cancellations always are, and lifting the halt must be. */
export function passesHalt(kind: ProposalKind): boolean {
  return kinds[kind].passesHalt;
}

/** The reason of a proposal that ended because its proposer's sign-in was revoked. */
export const revokedReason: Reason = {
  code: 'approval_cancelled',
  text: 'withdrawn: the sign-in it was proposed with has ended',
};

/** The reason of a proposal that ended because trading is halted. */
export const haltedReason = {
  code: 'policy_denied',
  text: 'trading is halted',
  members: { reason: 'TRADING_HALTED', reasons: ['TRADING_HALTED'] },
} as const satisfies Reason;

/** Returns the mandate that approves a proposal; undefined if its owner is asked. */
export function approvingMandate({ kind, subject }: Pick<StoredProposal, 'kind' | 'subject'>): string | undefined {
  return kindWords(kind).mandate?.(subject);
}
