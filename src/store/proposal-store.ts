import type { ProblemCode } from '../errors/problem-codes.ts';
import type { Membership } from '../oauth/membership.ts';
import type { ProposalKind, ProposalState, Provenance, WorstCase } from '../trading/proposal.ts';
import type { AuditNote } from './audit.ts';

/** The reason why a proposal ended as it did, or for what it waits. */
export interface Reason {
  /** The code of an HTTP problem. */
  readonly code: ProblemCode;
  readonly text: string;
  /** The problem's own members: `reason`, `limit`, `value`, `broker_message`. */
  readonly members?: Readonly<Record<string, unknown>>;
}

/** A proposal in the gateway's store. Times are milliseconds since the epoch; `interval` is in seconds. */
export interface StoredProposal {
  readonly id: string;
  /** The account's owner, who approves it. */
  readonly sub: string;
  /** The proposer, if not the owner. */
  readonly proposedBy: string | undefined;
  /** The second approver, if one is required after the owner. */
  readonly second: string | undefined;
  /** The OAuth client that proposed it. */
  readonly client: string;
  /** The membership in the proposer's token. */
  readonly membership?: Membership | undefined;
  /** Login name, for providers that identify people by it. */
  readonly username: string | undefined;
  readonly email: string | undefined;
  readonly kind: ProposalKind;
  readonly state: ProposalState;
  readonly code: string;
  readonly subject: unknown;
  readonly subjectId: string;
  readonly fingerprint: string;
  readonly digest: string;
  /** Nonce for the signature: 22 base64url characters. */
  readonly nonce: string | undefined;
  readonly worstCase: WorstCase | null;
  readonly warnings: readonly string[];
  readonly shows: Readonly<Record<string, string>>;
  readonly provenance: Provenance | null;
  readonly requestedBy: string | null;
  readonly again: number | undefined;
  /** Whether the person typed all of it. Such proposals have their own quota. */
  readonly typed: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Increases with each draft and change of any proposal. It is the ID of the event. */
  readonly version: number;
  /** Time after which it can't be executed: the subject's `expires_at`. */
  readonly deadline: number;
  /** The earlier of the deadline and the identity provider's expiry. */
  readonly expiresAt: number;
  /** The `auth_req_id` of the latest approval request. */
  readonly authReqId: string | undefined;
  /** The `auth_req_id` of the request that the owner approved, if a second approver is required. */
  readonly ownerAuthReqId: string | undefined;
  /** CIBA Core §7.3. */
  readonly interval: number;
  readonly asked: number;
  readonly hasToken: boolean;
  readonly tokenExpiresAt: number | undefined;
  readonly result: unknown;
  readonly reason: Reason | undefined;
}

export type Draft = Pick<
  StoredProposal,
  | 'id'
  | 'sub'
  | 'client'
  | 'username'
  | 'email'
  | 'kind'
  | 'code'
  | 'subject'
  | 'subjectId'
  | 'fingerprint'
  | 'digest'
  | 'nonce'
  | 'worstCase'
  | 'warnings'
  | 'shows'
  | 'provenance'
  | 'requestedBy'
  | 'again'
  | 'typed'
  | 'deadline'
> &
  Partial<Pick<StoredProposal, 'proposedBy' | 'second' | 'membership'>>;

/** The new values of a proposal's mutable fields. */
export interface ProposalChange
  extends Pick<StoredProposal, 'state' | 'authReqId' | 'interval' | 'expiresAt' | 'asked' | 'result' | 'reason'>,
    Partial<Pick<StoredProposal, 'ownerAuthReqId'>> {
  /** The owner's token. `erased` also erases the second approver's. */
  readonly token: 'kept' | 'erased' | { readonly sealed: Buffer; readonly expiresAt: number };
  readonly secondToken?: Buffer | undefined;
}

/** The result of a change. For `stale` (changed since it was read) and `halted` (see `unlessHalted`), nothing was written. */
export interface ProposalChangeResult {
  readonly outcome: 'moved' | 'stale' | 'halted';
  /** The current proposal. */
  readonly proposal: StoredProposal;
}

/** A proposer's Idempotency-Key. */
export interface ProposalKey {
  readonly sub: string;
  readonly client: string;
  readonly key: string;
}

/** A key with the digest of the request body that came with it. */
export interface KeyedRequest extends ProposalKey {
  readonly request: string;
}

/** The earlier request with a key, and its proposal. */
export interface KeyedProposal {
  readonly request: string;
  readonly proposal: StoredProposal;
}

/** A snapshot against which a new proposal is checked. */
export interface ProposalSnapshot {
  /** Changes with any proposal of this owner, and with their halt. */
  readonly epoch: string;
  readonly haltedAt: number | undefined;
  /** Codes of all open proposals of the owner. */
  readonly openCodes: readonly string[];
  /** Numbers of this proposer's proposals: open ones, and ones drafted since the given time. */
  readonly open: number;
  readonly lately: number;
  /** The latest two decided proposals of this client (`DECIDED`), newest first. */
  readonly decided: readonly { readonly state: ProposalState; readonly at: number }[];
  /** The oldest identical proposal of this client that is undecided (`drafted`, `requested`). */
  readonly sameOpen: StoredProposal | undefined;
  /** Number of identical proposals for the owner since then, by any proposer. */
  readonly sameLately: number;
}

/** Proposals are counted per owner, proposer and client. */
export interface SnapshotQuery {
  /** The owner. */
  readonly sub: string;
  /** The proposer, if not the owner. */
  readonly proposedBy?: string | undefined;
  readonly client: string;
  readonly typed: boolean;
  /** Equal for identical proposals. Without it, identical proposals are not searched. */
  readonly fingerprint?: string;
}

/**
 * Stores proposals. Each method is one transaction, on disk when the promise resolves. Callers pass the epoch or version that
 * they read, which the transaction compares. Times are milliseconds since the epoch. The store does not check state
 * transitions (see `transitions`). Open proposals are those that are not settled (`isSettledState`), including `unknown`. Of
 * two proposals of the same millisecond, the one drafted later is newer.
 *
 * @example
 * ```ts
 * import type { AuditNote } from './audit.ts';
 * import type { ProposalStore, StoredProposal } from './proposal-store.ts';
 *
 * // A compare-and-set: of two callers that read the same row, one changes it and the other gets `stale`.
 * export async function cancel(store: ProposalStore, seen: StoredProposal, note: AuditNote): Promise<boolean> {
 *   const change = { ...seen, state: 'cancelled', token: 'erased' } as const;
 *   const { outcome } = await store.change(seen, change, note, { now: Date.now() });
 *   return outcome === 'moved';
 * }
 * ```
 */
export interface ProposalStore {
  get(id: string): Promise<StoredProposal | undefined>;
  byAuthReqId(authReqId: string): Promise<StoredProposal | undefined>;
  /** @param subjectId a `client_order_id` or a mandate's ID */
  bySubject(sub: string, subjectId: string): Promise<StoredProposal | undefined>;
  keyed(key: ProposalKey): Promise<KeyedProposal | undefined>;
  /** Newest first. */
  list(filter: {
    sub?: string;
    /** Owner or proposer. Replaces `sub`. */
    party?: string;
    state: 'open' | 'all';
    limit?: number;
  }): Promise<StoredProposal[]>;
  /** Returns the IDs of all open proposals, oldest first. */
  openIds(state?: 'unknown'): Promise<string[]>;
  /** Returns a party's proposals that changed after a version, in the order of their changes. At most 500. */
  changedSince(party: string, version: number): Promise<StoredProposal[]>;
  /** Returns the latest version. */
  version(): Promise<number>;
  /**
   * Returns proposals whose outcome (`TOLD`) was not reported to the phone because a process died in between, in the order
   * of their changes.
   */
  untold(): Promise<StoredProposal[]>;
  sealedToken(id: string, of?: 'owner' | 'second'): Promise<Buffer | undefined>;
  /** Returns a consistent snapshot. */
  snapshot(of: SnapshotQuery, since: number): Promise<ProposalSnapshot>;
  /**
   * Writes a `drafted` proposal with its key and its audit log entry. Writes nothing and returns `known` if the key was used
   * already, and `stale` if the owner's epoch has changed.
   * @throws if the ID or this owner's `subjectId` is taken; nothing was written
   */
  draft(
    draft: Draft,
    key: KeyedRequest,
    expected: { readonly epoch: string },
    note: AuditNote,
    now: number,
  ): Promise<
    | { readonly outcome: 'drafted'; readonly proposal: StoredProposal }
    | ({ readonly outcome: 'known' } & KeyedProposal)
    | { readonly outcome: 'stale' }
  >;
  /** Adds another key to an open, identical proposal. Results are those of `draft`. */
  alias(
    key: KeyedRequest,
    proposal: string,
    expected: { readonly epoch: string },
  ): Promise<{ readonly outcome: 'kept' | 'stale' } | ({ readonly outcome: 'known' } & KeyedProposal)>;
  /**
   * Changes a proposal that still has the version that was read, and writes the audit log entry.
   * @param options.unlessHalted change nothing while the owner's trading is halted
   * @throws if there is no such proposal, or another has this `authReqId`; nothing was written
   */
  change(
    seen: Pick<StoredProposal, 'id' | 'version'>,
    change: ProposalChange,
    note: AuditNote,
    options: { readonly now: number; readonly unlessHalted?: boolean },
  ): Promise<ProposalChangeResult>;
  /** Sets the poll interval, in seconds. Does not change the version. */
  setInterval(id: string, seconds: number): Promise<void>;
  /** Notes that the phone was notified of the outcome as of that version. Never decreases. Does not change the version. */
  told(id: string, version: number): Promise<void>;
}
