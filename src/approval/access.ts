import type { Reason, StoredProposal } from '../store/proposal-store.ts';
import { kinds, kindWords, type ProposalKind } from '../trading/kinds/kinds.ts';
import { Refusal } from '../trading/refusal.ts';
import { questionToPropose, type RelationQuestion } from '../trading/relations.ts';
import type { Proposer } from './kind.ts';

/**
 * Who stands how to whose account, as the kernel asks: before a phone rings, and again right before anything is carried out.
 * What can't be told is a no.
 */
export interface Access {
  /** @throws {Refusal} 403 `policy_denied`: `RELATION_DENIED`, `RELATION_UNAVAILABLE` */
  require(who: string, question: RelationQuestion, account: string): Promise<void>;
  /**
   * Whose second yes is to be asked for, of those who can give it.
   * @param but who can't be the second: the owner, and who proposes
   * @throws {Refusal} 403 `policy_denied`: `APPROVAL_NEEDS_SECOND` where there is nobody, `RELATION_UNAVAILABLE`
   */
  second(account: string, but: readonly string[]): Promise<string>;
}

/**
 * Who is let to an account when somebody else than its owner proposes or looks. Their own token opens nothing of the owner's,
 * so there is none: only credentials that are kept for the owner do.
 */
export function actingFor<Who extends Pick<Proposer, 'sub' | 'by' | 'accessToken'>>(
  who: Who,
  owner: string,
): Who {
  return who.sub === owner ? who : { ...who, sub: owner, by: who.sub, accessToken: NO_TOKEN };
}

/** In place of a token, where there is none of the owner's. */
export const NO_TOKEN = '';

/** Asks for an owner who has not come by: only credentials that are kept for them open their account. */
export function withoutToken(sub: string): Proposer {
  return { sub, clientId: '', accessToken: NO_TOKEN };
}

/** Whose yes a proposal takes, and whose idea it is. */
interface Parties {
  readonly kind: ProposalKind;
  readonly owner: string;
  readonly proposer: string;
  readonly second?: string | undefined;
}

/**
 * That everybody who has a part in a proposal may have it at this moment.
 * @throws {Refusal} 403 `policy_denied`: `RELATION_DENIED`, `RELATION_UNAVAILABLE`
 */
export async function requireStanding(
  access: Access,
  { kind, owner, proposer, second }: Parties,
): Promise<void> {
  const question = questionToPropose[kind];
  if (question === undefined) {
    // About no account: it is one's own, whoever stands how to whom.
    if (proposer === owner) return;
    throw new Refusal(403, 'policy_denied', `a ${kind} is proposed in one’s own name alone`, {
      hint: 'Leave out "for".',
      members: { reason: 'RELATION_DENIED', reasons: ['RELATION_DENIED'] },
      challenge: {},
    });
  }
  await access.require(proposer, question, owner);
  await access.require(owner, 'can_approve', owner);
  if (second !== undefined) await access.require(second, 'can_approve_second', owner);
}

/** Cancels always pass, and what lifts the halt must. */
export function passesHalt(kind: ProposalKind): boolean {
  return kinds[kind].passesHalt;
}

/** Why nothing came of a proposal, where whoever proposed it may not any more. */
export const revokedReason: Reason = {
  code: 'approval_cancelled',
  text: 'withdrawn: the sign-in that it came by was ended',
};

/** Why nothing came of a proposal, where trading is halted. */
export const haltedReason = {
  code: 'policy_denied',
  text: 'trading is halted',
  members: { reason: 'TRADING_HALTED', reasons: ['TRADING_HALTED'] },
} as const satisfies Reason;

/** By which mandate a proposal is approved; undefined where its owner is asked. */
export function mandateOf({ kind, subject }: Pick<StoredProposal, 'kind' | 'subject'>): string | undefined {
  return kindWords(kind).mandate?.(subject);
}
