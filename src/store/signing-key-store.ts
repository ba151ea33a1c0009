import type { AuditNote } from './audit.ts';

/** An enrolled key for approvals. Times are milliseconds since the epoch. */
export interface SigningKey {
  /** Base64url; never used again. */
  readonly credentialId: string;
  readonly sub: string;
  /** COSE_Key (RFC 9052 §7). */
  readonly publicKey: Uint8Array;
  /** COSE algorithm: -7 (ES256), -8 (EdDSA) or -257 (RS256). */
  readonly algorithm: number;
  /** The authenticator's signature counter; 0 if it has none. */
  readonly counter: number;
  /** `software`: the terminal phone's key. */
  readonly method: 'webauthn' | 'software';
  /** WebAuthn's backup eligibility. */
  readonly deviceType: 'singleDevice' | 'multiDevice';
  /** WebAuthn's backup state. */
  readonly backedUp: boolean;
  readonly name: string;
  readonly transports: readonly string[];
  readonly enrolledAt: number;
  readonly lastUsedAt?: number | undefined;
  /** Removed keys are kept so that they are recognized. */
  readonly removedAt?: number | undefined;
}

/** What the authenticator reported with a signature. */
export interface KeyUse {
  readonly credentialId: string;
  readonly counter: number;
  readonly backedUp: boolean;
}

/** What authorizes the enrollment or removal of a key; checked and used up in the same transaction. */
export type KeyProof =
  /** Digest of a pairing's secret: for a new key only. */
  | { readonly pairing: string }
  /** A signature by another key of the same person. */
  | { readonly use: KeyUse }
  /** The machine's operator. */
  | 'machine';

/** A signed approval. */
export interface Signature {
  /** The proposal's id, or the `identifier` of a client's own request: unique per person. */
  readonly approval: string;
  readonly sub: string;
  /** Of the evidence. */
  readonly digest: string;
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly use: KeyUse;
}

/**
 * The keys that people approve with, and what they signed. Each method is one transaction, on disk when the promise resolves;
 * `note` is written in it. Times are milliseconds since the epoch.
 *
 * A key's counter only rises: of two signatures with the same count one is a clone's. Keys without a counter report 0.
 */
export interface SigningKeyStore {
  /** Also a removed one. */
  byId(credentialId: string): Promise<SigningKey | undefined>;
  /** Without removed ones; oldest first. */
  of(sub: string): Promise<SigningKey[]>;
  /** Replaces the person's pairing. @param pairing.digest of its secret */
  pair(pairing: { readonly digest: string; readonly sub: string; readonly expiresAt: number }): Promise<void>;
  unpair(sub: string): Promise<void>;
  /** An open one. */
  pairing(
    digest: string,
    now: number,
  ): Promise<{ readonly sub: string; readonly expiresAt: number } | undefined>;
  /**
   * `known`: the id is or was enrolled; `stale`: the proof is no longer valid (a pairing used or expired, a key removed, a
   * counter that did not rise). Nothing was written then, and a pairing stays open.
   */
  enrol(key: SigningKey, by: KeyProof, note: AuditNote, now: number): Promise<'enrolled' | 'known' | 'stale'>;
  /** `stale`: this person has no such key, or the proof is no longer valid; nothing was written. */
  remove(
    key: { readonly sub: string; readonly credentialId: string },
    by: Exclude<KeyProof, { pairing: string }>,
    note: AuditNote,
    now: number,
  ): Promise<'removed' | 'stale'>;
  /** False if this person has no such key. */
  rename(key: { readonly sub: string; readonly credentialId: string }, name: string): Promise<boolean>;
  /** Records a signature that is not stored (a sign-in). False for a removed key, or a counter that did not rise. */
  use(use: KeyUse, now: number): Promise<boolean>;
  /** Whether this evidence for this approval is stored. */
  signed(signature: Pick<Signature, 'sub' | 'approval' | 'digest'>): Promise<boolean>;
  /** The latest. */
  evidence(of: Pick<Signature, 'sub' | 'approval'>): Promise<Signature['evidence'] | undefined>;
  /** Stores the evidence and the key's counter. `known`: stored already; `stale`: the key was removed, or its counter did not rise. */
  sign(signature: Signature, note: AuditNote, now: number): Promise<'kept' | 'known' | 'stale'>;
}
