import type { StoredProposal } from '../store/proposal-store.ts';

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
