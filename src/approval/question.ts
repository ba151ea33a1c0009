import type { StoredProposal } from '../store/proposal-store.ts';
import { bindingMessageOf } from '../trading/approval-details.ts';
import type { Question } from './asking-port.ts';
import { proposalDetails } from './details.ts';
import type { KernelParts } from './kernel-parts.ts';

/** The question as it is asked, and as its answer is compared with: the same for as long as the proposal lives. */
export function questionOf(
  { kindOf, gateway, detailsTypes }: Pick<KernelParts, 'kindOf' | 'gateway' | 'detailsTypes'>,
  proposal: StoredProposal,
): Omit<Question, 'notificationToken' | 'expiresIn'> {
  const kind = kindOf(proposal.kind);
  const { sub, username, email } = proposal;
  const who = askedNow(proposal);
  return {
    asked: who === sub ? { sub, name: username, email } : { sub: who },
    scope: kind.scope,
    bindingMessage: bindingMessageOf(kind.describe(proposal.subject), proposal.code),
    details: proposalDetails(proposal, {
      gateway,
      type: detailsTypes[proposal.kind] ?? kind.detailsType,
      expiresAt: kind.expiresAt(proposal.subject),
    }),
  };
}

type Seen = Pick<StoredProposal, 'sub' | 'second' | 'ownerAuthReqId' | 'authReqId'>;

/** Whose answer is waited for: the owner's, then the second person's where one is needed (supervisor/ask.ts). */
export function askedNow({ sub, second, ownerAuthReqId }: Seen): string {
  return second !== undefined && ownerAuthReqId !== undefined ? second : sub;
}

/** Whether the owner said yes, and the second person was not asked yet. */
export function isSecondToBeAsked({ second, ownerAuthReqId, authReqId }: Seen): boolean {
  return second !== undefined && ownerAuthReqId !== undefined && authReqId === ownerAuthReqId;
}

/** All questions that a phone was asked about it: each is told what became of it. */
export function questionsAsked({ ownerAuthReqId, authReqId }: Seen): string[] {
  return [...new Set([ownerAuthReqId, authReqId])].filter((id) => id !== undefined);
}
