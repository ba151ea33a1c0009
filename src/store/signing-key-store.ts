import type { AuditNote } from './audit.ts';

/** An enrolled key for signing approvals. Times are milliseconds since the epoch. */
export interface SigningKey {
  /** Base64url. Never reused. */
  readonly credentialId: string;
  readonly sub: string;
  /** COSE_Key (RFC 9052 §7). */
  readonly publicKey: Uint8Array;
  /** COSE algorithm: -7 (ES256), -8 (EdDSA) or -257 (RS256). */
  readonly algorithm: number;
  /** The authenticator's signature counter; 0 if it has none. */
  readonly counter: number;
  /** `software` is the key of a phone in the terminal. */
  readonly method: 'webauthn' | 'software';
  /** WebAuthn's backup eligibility. */
  readonly deviceType: 'singleDevice' | 'multiDevice';
  /** WebAuthn's backup state. */
  readonly backedUp: boolean;
  readonly name: string;
  readonly transports: readonly string[];
  readonly enrolledAt: number;
  readonly lastUsedAt?: number | undefined;
  /** Removed keys are kept, so that they are recognized. */
  readonly removedAt?: number | undefined;
}

/** Data that the authenticator reported with a signature. */
export interface KeyUse {
  readonly credentialId: string;
  readonly counter: number;
  readonly backedUp: boolean;
}

/** Authorization for enrolling or removing a key, verified and used in the same transaction. */
export type KeyProof =
  /** Digest of a pairing's secret, only for a new key. */
  | { readonly pairing: string }
  /** A signature by another key of the same person. */
  | { readonly use: KeyUse }
  /** The operator of the machine. */
  | 'machine';

/** A signed approval. */
export interface Signature {
  /** The proposal's ID, or the `identifier` of a client's own request. Unique per person. */
  readonly approval: string;
  readonly sub: string;
  /** Digest of the evidence. */
  readonly digest: string;
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly use: KeyUse;
}

/**
 * People's signing keys and their signatures. Each method is one transaction that includes `note` and is on disk when the
 * promise resolves. Times are milliseconds since the epoch.
 *
 * A key's counter must increase: if two signatures have the same count, one is from a clone. Keys without a counter report 0.
 */
export interface SigningKeyStore {
  /** Finds a key, including removed ones. */
  byId(credentialId: string): Promise<SigningKey | undefined>;
  /** Returns a person's keys without removed ones. Oldest first. */
  of(sub: string): Promise<SigningKey[]>;
  /** Replaces the person's pairing. @param pairing.digest digest of its secret */
  pair(pairing: { readonly digest: string; readonly sub: string; readonly expiresAt: number }): Promise<void>;
  unpair(sub: string): Promise<void>;
  /** Finds an open pairing. */
  pairing(digest: string, now: number): Promise<{ readonly sub: string; readonly expiresAt: number } | undefined>;
  /**
   * Enrolls a key. Returns `known` if the ID is or was enrolled, and `stale` if the proof is no longer valid: the pairing is
   * used or expired, the key was removed, or its counter did not increase. Then nothing is written and a pairing stays open.
   */
  enrol(key: SigningKey, by: KeyProof, note: AuditNote, now: number): Promise<'enrolled' | 'known' | 'stale'>;
  /** Removes a key. Returns `stale` and writes nothing if the person has no such key or the proof is no longer valid. */
  remove(
    key: { readonly sub: string; readonly credentialId: string },
    by: Exclude<KeyProof, { pairing: string }>,
    note: AuditNote,
    now: number,
  ): Promise<'removed' | 'stale'>;
  /** Renames a key. Returns false if this person has no such key. */
  rename(key: { readonly sub: string; readonly credentialId: string }, name: string): Promise<boolean>;
  /** Records a signature that is not stored, such as a sign-in. Returns false for a removed key or a counter that did not increase. */
  use(use: KeyUse, now: number): Promise<boolean>;
  /** Returns whether this evidence for this approval is stored. */
  signed(signature: Pick<Signature, 'sub' | 'approval' | 'digest'>): Promise<boolean>;
  /** Returns the latest evidence of an approval. */
  evidence(of: Pick<Signature, 'sub' | 'approval'>): Promise<Signature['evidence'] | undefined>;
  /** Stores the evidence and counter. Returns `known` if stored already, `stale` for a removed key or a counter that did not increase. */
  sign(signature: Signature, note: AuditNote, now: number): Promise<'kept' | 'known' | 'stale'>;
}
