import { createHash } from 'node:crypto';
import { createTokenSeal, type SealSecrets, type TokenSeal } from '../../secrets/token-seal.ts';

/*
 * Seals the `auth_req_id`s in rows, because with such an ID and the client's key, anyone could get the approval's
 * token. Rows are found by the ID's hash. The hash does not reveal the ID, which has at least 128 random bits (CIBA
 * Core §7.3).
 */

export type AuthReqIdSeal = TokenSeal;

export const createAuthReqIdSeal = (secrets: SealSecrets): AuthReqIdSeal => createTokenSeal(secrets, 'auth_req_id');

/** Seal for programs that send no CIBA requests. A store with this seal can't write or read an `auth_req_id`. */
export const noAuthReqIdSeal: AuthReqIdSeal = {
  seal: () => throwNoSeal(),
  open: () => throwNoSeal(),
};

function throwNoSeal(): never {
  throw new Error('this proposal store was opened without the seal for auth_req_ids');
}

/** Returns the hash (base64url) of an `auth_req_id`, by which its proposal is found. */
export function hashAuthReqId(authReqId: string): string {
  return createHash('sha256').update(authReqId).digest('base64url');
}

/**
 * Returns the context that binds a sealed ID to its row and column.
 * @param place whether the ID belongs to the latest approval request (`asked`) or to the one that the owner approved
 * (`owner`)
 */
export const authReqIdContext = (proposal: string, place: 'asked' | 'owner') => `${proposal} ${place}`;

export function unsealAuthReqId(sealed: Buffer | null, context: string, seal: AuthReqIdSeal): string | undefined {
  return sealed === null ? undefined : seal.open(sealed, context);
}

interface AuthReqIds {
  readonly authReqId?: string | undefined;
  readonly ownerAuthReqId?: string | undefined;
}

export function toAuthReqIdValues(proposal: string, { authReqId, ownerAuthReqId }: AuthReqIds, seal: AuthReqIdSeal) {
  const sealed = (id: string | undefined, place: 'asked' | 'owner') =>
    id === undefined ? null : seal.seal(id, authReqIdContext(proposal, place));
  return {
    questionHash: authReqId === undefined ? null : hashAuthReqId(authReqId),
    sealedQuestion: sealed(authReqId, 'asked'),
    sealedOwnerQuestion: sealed(ownerAuthReqId, 'owner'),
  };
}

/** SET clause of an UPDATE statement that writes the {@link toAuthReqIdValues}. */
export const AUTH_REQ_ID_SET_CLAUSE = `auth_req_hash = @questionHash, sealed_auth_req_id = @sealedQuestion,
  sealed_owner_auth_req_id = @sealedOwnerQuestion`;
