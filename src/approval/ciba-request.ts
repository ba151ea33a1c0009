import type { StoredProposal } from '../store/proposal-store.ts';
import { buildBindingMessage } from '../trading/approval-details.ts';
import type { CibaRequest } from './ciba/ciba-port.ts';
import { proposalDetails } from './details.ts';
import type { KernelDeps } from './kernel-deps.ts';

/** Builds a proposal's approval request. The same row always yields the same request, so it can be compared later. */
export function buildCibaRequest(
  { getKind, gateway, detailsTypes }: Pick<KernelDeps, 'getKind' | 'gateway' | 'detailsTypes'>,
  proposal: StoredProposal,
): Omit<CibaRequest, 'notificationToken' | 'expiresIn'> {
  const kind = getKind(proposal.kind);
  const { sub, username, email } = proposal;
  const who = currentApprover(proposal);
  return {
    asked: who === sub ? { sub, name: username, email } : { sub: who },
    scope: kind.scope,
    bindingMessage: buildBindingMessage(kind.describe(proposal.subject), proposal.code),
    details: proposalDetails(proposal, {
      gateway,
      type: detailsTypes[proposal.kind] ?? kind.detailsType,
      expiresAt: kind.expiresAt(proposal.subject),
    }),
  };
}

type QuestionState = Pick<StoredProposal, 'sub' | 'second' | 'ownerAuthReqId' | 'authReqId'>;

/** Returns who decides next: the owner first, then the second approver if there is one. */
export function currentApprover({ sub, second, ownerAuthReqId }: QuestionState): string {
  return second !== undefined && ownerAuthReqId !== undefined ? second : sub;
}

/** Returns whether the owner has approved, and the second approver has not been asked yet. */
export function isSecondApproverNext({ second, ownerAuthReqId, authReqId }: QuestionState): boolean {
  return second !== undefined && ownerAuthReqId !== undefined && authReqId === ownerAuthReqId;
}

/** Returns the IDs of a proposal's approval requests. Every phone that was asked is notified of the outcome. */
export function getApprovalRequestIds({ ownerAuthReqId, authReqId }: QuestionState): string[] {
  return [...new Set([ownerAuthReqId, authReqId])].filter((id) => id !== undefined);
}
