import { createHash } from 'node:crypto';
import { createTokenSeal, type SealSecrets, type TokenSeal } from '../../secrets/token-seal.ts';

/*
 * An `auth_req_id` in a row: whoever has it and the client's key is given the approval's token, so it is sealed. It is found by its
 * hash, which tells nothing of it: it is drawn from at least 128 bits (CIBA Core §7.3).
 */

/** By what a store of proposals seals the ids of questions. */
export type QuestionSeal = TokenSeal;

export const questionSeal = (secrets: SealSecrets): QuestionSeal => createTokenSeal(secrets, 'auth_req_id');

/** For who has no business with questions: a store that was opened by it neither keeps an id nor reads one. */
export const noQuestions: QuestionSeal = {
  seal: () => noSeal(),
  open: () => noSeal(),
};

function noSeal(): never {
  throw new Error('this store of proposals was opened without what the ids of questions are sealed by');
}

/** By which a question is found, in base64url. */
export function questionHash(authReqId: string): string {
  return createHash('sha256').update(authReqId).digest('base64url');
}

/** Each opens in its own row and place alone. @param place the question asked last, or the one that the owner said yes to */
export const questionContext = (proposal: string, place: 'asked' | 'owner') => `${proposal} ${place}`;

export function openedQuestion(
  sealed: Buffer | null,
  context: string,
  seal: QuestionSeal,
): string | undefined {
  return sealed === null ? undefined : seal.open(sealed, context);
}

interface Questions {
  readonly authReqId?: string | undefined;
  readonly ownerAuthReqId?: string | undefined;
}

/** What a row has of its questions, whatever it had before. */
export function questionValues(
  proposal: string,
  { authReqId, ownerAuthReqId }: Questions,
  seal: QuestionSeal,
) {
  const sealed = (id: string | undefined, place: 'asked' | 'owner') =>
    id === undefined ? null : seal.seal(id, questionContext(proposal, place));
  return {
    questionHash: authReqId === undefined ? null : questionHash(authReqId),
    sealedQuestion: sealed(authReqId, 'asked'),
    sealedOwnerQuestion: sealed(ownerAuthReqId, 'owner'),
  };
}

/** How an update writes them. */
export const QUESTION_COLUMNS = `auth_req_hash = @questionHash, sealed_auth_req_id = @sealedQuestion,
  sealed_owner_auth_req_id = @sealedOwnerQuestion`;
