import type { AuditNote } from './audit.ts';

/** A person's key for signing approvals. Times are milliseconds since the epoch. */
export interface SigningKey {
  /** The credential ID, in base64url. Never reused. */
  readonly credentialId: string;
  readonly sub: string;
  /** The WebAuthn RP ID for which the key was created. The key can sign only there. */
  readonly rpId: string;
  /** COSE_Key (RFC 9052 §7). */
  readonly publicKey: Uint8Array;
  /** COSE algorithm: -7 (ES256), -8 (EdDSA) or -257 (RS256). */
  readonly algorithm: number;
  /** The authenticator's signature counter, or 0 if it has none. */
  readonly counter: number;
  /** `software` is a key that the simulated phone in the terminal keeps itself, without an authenticator. */
  readonly method: 'webauthn' | 'software';
  readonly deviceType: 'singleDevice' | 'multiDevice';
  readonly backedUp: boolean;
  readonly name: string;
  readonly transports: readonly string[];
  readonly enrolledAt: number;
  readonly lastUsedAt?: number | undefined;
  /** Set for a removed key. Removed keys are kept, so that the store still recognizes them. */
  readonly removedAt?: number | undefined;
}

/** Data that the authenticator reported with a signature. */
export interface SigningKeyUse {
  readonly credentialId: string;
  readonly counter: number;
  readonly backedUp: boolean;
}

/** Proof that a person may enroll or remove a key. The same transaction verifies and consumes the proof. */
export type SigningKeyChangeProof =
  /** Digest of a pairing's secret. This proof can enroll a key, but not remove one. */
  | { readonly pairing: string }
  /** A signature by another key of the same person. */
  | { readonly use: SigningKeyUse }
  /** The change was made by the operator of the gateway's machine. */
  | 'machine';

export interface ApprovalSignature {
  /** The proposal's ID. For a request that a client made directly, the request's `identifier`. Unique per person. */
  readonly approval: string;
  readonly sub: string;
  readonly digest: string;
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly use: SigningKeyUse;
}

/**
 * People's signing keys and signatures. Each method is one transaction that includes the audit log entry `note`, and is
 * on disk when the promise resolves. Times are milliseconds since the epoch.
 *
 * A key's counter must increase with each signature: if two signatures have the same count, a cloned key made one of
 * them. Keys without a counter report 0.
 */
export interface SigningKeyStore {
  /** Finds a key, even a removed one. */
  byId(credentialId: string): Promise<SigningKey | undefined>;
  /** Returns a person's keys, except removed ones. Oldest first. */
  listByPerson(sub: string): Promise<SigningKey[]>;
  /** Stores a pairing in place of the person's earlier pairing. @param pairing.digest digest of the pairing's secret */
  storePairing(pairing: { readonly digest: string; readonly sub: string; readonly expiresAt: number }): Promise<void>;
  unpair(sub: string): Promise<void>;
  /** Finds a pairing that has not been used or replaced and has not expired. */
  pairing(digest: string, now: number): Promise<{ readonly sub: string; readonly expiresAt: number } | undefined>;
  /**
   * Enrolls a key. Returns `known` if a key with this ID is or was enrolled. Returns `stale` if the proof is no longer
   * valid: the pairing was used or has expired, or the signing key was removed or its counter did not increase. In
   * these cases, nothing is written, and a pairing stays usable.
   */
  enroll(
    key: SigningKey,
    by: SigningKeyChangeProof,
    note: AuditNote,
    now: number,
  ): Promise<'enrolled' | 'known' | 'stale'>;
  /** Removes a key. Returns `stale` and writes nothing if the person has no such key, or if the proof is invalid. */
  remove(
    key: { readonly sub: string; readonly credentialId: string },
    by: Exclude<SigningKeyChangeProof, { pairing: string }>,
    note: AuditNote,
    now: number,
  ): Promise<'removed' | 'stale'>;
  /** Returns false if this person has no such key. */
  rename(key: { readonly sub: string; readonly credentialId: string }, name: string): Promise<boolean>;
  /**
   * Records that a key signed something that the store does not keep, such as a sign-in. Returns false if the key was
   * removed or its counter did not increase.
   */
  recordUse(use: SigningKeyUse, now: number): Promise<boolean>;
  /** Returns whether the store has a signature with exactly this digest for this approval. */
  hasSignature(signature: Pick<ApprovalSignature, 'sub' | 'approval' | 'digest'>): Promise<boolean>;
  evidence(of: Pick<ApprovalSignature, 'sub' | 'approval'>): Promise<ApprovalSignature['evidence'] | undefined>;
  /** Returns the identifiers (`gr_…`) of a person's signed grants and when each was last signed, newest first. */
  listGrants(sub: string, limit: number): Promise<{ readonly approval: string; readonly signedAt: number }[]>;
  /**
   * Stores the evidence and the key's new counter. Returns `known` if the evidence is already stored, and `stale` if
   * the key was removed or its counter did not increase.
   */
  sign(signature: ApprovalSignature, note: AuditNote, now: number): Promise<'kept' | 'known' | 'stale'>;
}
