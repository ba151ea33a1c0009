import type { AuditNote } from './audit.ts';

/** A key that a person approves with, enrolled here. Times are milliseconds since the epoch. */
export interface SigningKey {
  /** Base64url; unique among all keys there ever were. */
  readonly credentialId: string;
  readonly sub: string;
  /** COSE_Key (RFC 9052 §7). */
  readonly publicKey: Uint8Array;
  /** COSE algorithm: -7 (ES256), -8 (EdDSA) or -257 (RS256). */
  readonly algorithm: number;
  /** How often it signed, as it last said; 0 for one that does not count. */
  readonly counter: number;
  /** `software`: a key of the terminal phone's, on no authenticator. */
  readonly method: 'webauthn' | 'software';
  /** Whether it can be synced to other devices (WebAuthn's backup eligibility). */
  readonly deviceType: 'singleDevice' | 'multiDevice';
  /** Whether it was, as it last said. */
  readonly backedUp: boolean;
  /** The person's own name for it. */
  readonly name: string;
  readonly transports: readonly string[];
  readonly enrolledAt: number;
  readonly lastUsedAt?: number | undefined;
  /** From then on it opens nothing; it is kept so that it is known again. */
  readonly removedAt?: number | undefined;
}

/** What a key said of itself with a signature. */
export interface KeyUse {
  readonly credentialId: string;
  readonly counter: number;
  readonly backedUp: boolean;
}

/** By what a key is enrolled or removed: looked at, and used up, in the transaction that does it. */
export type KeyProof =
  /** A pairing, by the digest of its secret: for a new key alone. */
  | { readonly pairing: string }
  /** A signature by another key of the same person. */
  | { readonly use: KeyUse }
  /** Whoever runs the machine. */
  | 'machine';

/** An approval as it was signed. */
export interface Signature {
  /** The proposal's id, or the `identifier` of what a client asked for by itself: unique among this person's. */
  readonly approval: string;
  readonly sub: string;
  /** Digest of the evidence: by it the same one is known again. */
  readonly digest: string;
  /** As it came. */
  readonly evidence: Readonly<Record<string, unknown>>;
  readonly use: KeyUse;
}

/**
 * Where the keys that people approve with are enrolled, and what was signed with them. Each method is one unit of work, in
 * one transaction that is on disk when the promise resolves; `note` is written with what it says. Times are milliseconds since
 * the epoch.
 *
 * A key's counter only rises: of two signatures with the same count one is a copy's. Keys that don't count say 0 each time.
 *
 * @example
 * ```ts
 * import type { SigningKeyStore } from './signing-key-store.ts';
 *
 * // Of two who scan the same code one is paired.
 * export async function paired(store: SigningKeyStore, secretDigest: string, now: number): Promise<boolean> {
 *   return (await store.pairing(secretDigest, now)) !== undefined;
 * }
 * ```
 */
export interface SigningKeyStore {
  /** Also one that was removed. */
  byId(credentialId: string): Promise<SigningKey | undefined>;
  /** A person's, without those that were removed; oldest first. */
  of(sub: string): Promise<SigningKey[]>;
  /** Keeps a pairing, by the digest of its secret; an earlier one of the same person ends. */
  pair(pairing: { readonly digest: string; readonly sub: string; readonly expiresAt: number }): Promise<void>;
  /** Ends a person's pairing, where there is one. */
  unpair(sub: string): Promise<void>;
  /** One that is open. */
  pairing(
    digest: string,
    now: number,
  ): Promise<{ readonly sub: string; readonly expiresAt: number } | undefined>;
  /**
   * Keeps a new key. `known`: there is or was one of this id; `stale`: what it is enrolled by holds no more (a pairing used or
   * over, a key removed, a counter that did not rise). Then nothing was written, and a pairing stays open.
   */
  enrol(key: SigningKey, by: KeyProof, note: AuditNote, now: number): Promise<'enrolled' | 'known' | 'stale'>;
  /** Ends a key of this person. `stale`: there is none, or what it is removed by holds no more; nothing was written. */
  remove(
    key: { readonly sub: string; readonly credentialId: string },
    by: Exclude<KeyProof, { pairing: string }>,
    note: AuditNote,
    now: number,
  ): Promise<'removed' | 'stale'>;
  /** False where this person has no such key. */
  rename(key: { readonly sub: string; readonly credentialId: string }, name: string): Promise<boolean>;
  /** Notes that a key signed something that is kept nowhere: a sign-in. False for a key removed or a counter that did not rise. */
  use(use: KeyUse, now: number): Promise<boolean>;
  /** Whether this very evidence for this approval was kept. */
  signed(signature: Pick<Signature, 'sub' | 'approval' | 'digest'>): Promise<boolean>;
  /** The latest evidence that was kept of this person's approval. */
  evidence(of: Pick<Signature, 'sub' | 'approval'>): Promise<Signature['evidence'] | undefined>;
  /**
   * Keeps what was signed, and the key's counter. `known`: it is kept already, and nothing was written; `stale`: the key was
   * removed, or its counter did not rise.
   */
  sign(signature: Signature, note: AuditNote, now: number): Promise<'kept' | 'known' | 'stale'>;
}
