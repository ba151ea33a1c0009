import type { ProblemCode } from '../errors/problem-codes.ts';
import type { Membership } from '../oauth/membership.ts';
import type { ProposalKind, ProposalState, Provenance, WorstCase } from '../trading/proposal.ts';
import type { AuditNote } from './audit.ts';

/** Why a proposal ended, or what it is waiting for. */
export interface ProposalReason {
  /** Code of the HTTP problem. */
  readonly code: ProblemCode;
  readonly text: string;
  /** The HTTP problem's additional members: `reason`, `limit`, `value`, `broker_message`. */
  readonly members?: Readonly<Record<string, unknown>>;
}

/** A proposal in the gateway's store. Times are milliseconds since the epoch; `interval` is in seconds. */
export interface StoredProposal {
  readonly id: string;
  /** The account's owner, who approves it. */
  readonly sub: string;
  /** The proposer's `sub`. Undefined if the owner proposed it. */
  readonly proposedBy: string | undefined;
  /** The second approver's `sub`. Undefined if only the owner must approve. */
  readonly second: string | undefined;
  /** The OAuth client that proposed it. */
  readonly client: string;
  /** The membership in the proposer's token. */
  readonly membership?: Membership | undefined;
  /** Login name, for identity providers that identify people by it. */
  readonly username: string | undefined;
  readonly email: string | undefined;
  readonly kind: ProposalKind;
  readonly state: ProposalState;
  readonly code: string;
  readonly subject: unknown;
  readonly subjectId: string;
  readonly fingerprint: string;
  readonly digest: string;
  /** Nonce that the approval's signature covers: 22 base64url characters. */
  readonly nonce: string | undefined;
  readonly worstCase: WorstCase | null;
  readonly warnings: readonly string[];
  readonly shows: Readonly<Record<string, string>>;
  readonly provenance: Provenance | null;
  readonly requestedBy: string | null;
  readonly again: number | undefined;
  /** Whether the person typed every field. Such proposals have their own quota. */
  readonly typed: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Set when the proposal is drafted or changed, to a number above all other versions. Also the ID of the event. */
  readonly version: number;
  /** Time after which it can't be executed, from the subject's `expires_at`. */
  readonly deadline: number;
  /** Either the deadline or the expiry at the identity provider, whichever is earlier. */
  readonly expiresAt: number;
  /** The `auth_req_id` of the latest approval request. */
  readonly authReqId: string | undefined;
  /** The `auth_req_id` of the request that the owner approved. Undefined if no second approver is required. */
  readonly ownerAuthReqId: string | undefined;
  /** Poll interval in seconds (CIBA Core §7.3). */
  readonly interval: number;
  readonly asked: number;
  readonly hasToken: boolean;
  readonly tokenExpiresAt: number | undefined;
  readonly result: unknown;
  readonly reason: ProposalReason | undefined;
}

export type ProposalDraft = Pick<
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
  /** Change of the owner's token. `erased` also erases the second approver's. */
  readonly token: 'kept' | 'erased' | { readonly sealed: Buffer; readonly expiresAt: number };
  readonly secondToken?: Buffer | undefined;
}

/**
 * The result of a change. Nothing was written for `stale` (the proposal has changed since it was read) and `halted`
 * (see `unlessHalted`).
 */
export interface ProposalChangeResult {
  readonly outcome: 'moved' | 'stale' | 'halted';
  readonly proposal: StoredProposal;
}

/** An Idempotency-Key and the proposer who sent it. */
export interface ProposalKey {
  readonly sub: string;
  readonly client: string;
  readonly key: string;
}

/** An Idempotency-Key, and the digest of the request body that was sent with it. */
export interface KeyedRequest extends ProposalKey {
  readonly request: string;
}

/** The proposal of an earlier request with the same key. */
export interface KeyedProposal {
  readonly request: string;
  readonly proposal: StoredProposal;
}

/** A snapshot of the proposals against which a new proposal is checked. */
export interface ProposalSnapshot {
  /** Changes whenever one of the owner's proposals changes or the owner's trading is halted or resumed. */
  readonly epoch: string;
  readonly haltedAt: number | undefined;
  /** Codes of all open proposals of the owner. */
  readonly openCodes: readonly string[];
  /** Numbers of this proposer's proposals: those that are open, and those drafted since the given time. */
  readonly open: number;
  readonly lately: number;
  /** This client's two latest proposals that were decided (`DECIDED_STATES`), newest first. */
  readonly decided: readonly { readonly state: ProposalState; readonly at: number }[];
  /** This client's oldest identical proposal that is still undecided (`drafted`, `requested`). */
  readonly sameOpen: StoredProposal | undefined;
  /** Number of identical proposals for this owner since the given time, by any proposer. */
  readonly sameLately: number;
}

/** Whose proposals to count: those of this owner, proposer and client. */
export interface SnapshotQuery {
  /** The owner's `sub`. */
  readonly sub: string;
  /** The proposer's `sub`. Undefined if the owner is the proposer. */
  readonly proposedBy?: string | undefined;
  readonly client: string;
  readonly typed: boolean;
  /** Equal for identical proposals. If omitted, identical proposals are not searched for. */
  readonly fingerprint?: string;
}

/**
 * Stores proposals. Each method is one transaction, on disk when the promise resolves. Callers pass the epoch or
 * version that they read, and nothing is written if it has changed. Times are milliseconds since the epoch. The store
 * does not check state transitions (see `transitions`). Open proposals are those that are not settled
 * (`isSettledState`), including `unknown`. Of two proposals of the same millisecond, the one drafted later is newer.
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
    /** Lists proposals by owner or proposer, instead of `sub`. */
    party?: string;
    state: 'open' | 'all';
    limit?: number;
  }): Promise<StoredProposal[]>;
  /** Returns the IDs of all open proposals, oldest first. */
  openIds(state?: 'unknown'): Promise<string[]>;
  /**
   * Returns the proposals of an owner or proposer that changed after a version, in the order of their changes. At most
   * 500.
   */
  changedSince(party: string, version: number): Promise<StoredProposal[]>;
  /** Returns the latest version of any proposal. */
  version(): Promise<number>;
  /**
   * Returns proposals whose outcome (`NOTIFIED_STATES`) was not reported to the phone because a process died before it
   * could, in the order of their changes.
   */
  untold(): Promise<StoredProposal[]>;
  sealedToken(id: string, of?: 'owner' | 'second'): Promise<Buffer | undefined>;
  /** Reads everything in one snapshot. */
  snapshot(of: SnapshotQuery, since: number): Promise<ProposalSnapshot>;
  /**
   * Writes a `drafted` proposal with its key and its audit log entry. Writes nothing and returns `known` if the key was
   * already used, or `stale` if the owner's epoch has changed.
   * @throws if the ID or this owner's `subjectId` is taken; nothing is written
   */
  draft(
    draft: ProposalDraft,
    key: KeyedRequest,
    expected: { readonly epoch: string },
    note: AuditNote,
    now: number,
  ): Promise<
    | { readonly outcome: 'drafted'; readonly proposal: StoredProposal }
    | ({ readonly outcome: 'known' } & KeyedProposal)
    | { readonly outcome: 'stale' }
  >;
  /** Adds another key to an identical open proposal. Returns the same results as `draft`. */
  alias(
    key: KeyedRequest,
    proposal: string,
    expected: { readonly epoch: string },
  ): Promise<{ readonly outcome: 'kept' | 'stale' } | ({ readonly outcome: 'known' } & KeyedProposal)>;
  /**
   * Changes a proposal and writes the audit log entry, if the proposal still has the version that was read.
   * @param options.unlessHalted changes nothing while the owner's trading is halted
   * @throws if there is no such proposal, or another proposal has this `authReqId`; nothing is written
   */
  change(
    seen: Pick<StoredProposal, 'id' | 'version'>,
    change: ProposalChange,
    note: AuditNote,
    options: { readonly now: number; readonly unlessHalted?: boolean },
  ): Promise<ProposalChangeResult>;
  /** Sets the poll interval, in seconds. Does not change the proposal's version. */
  setInterval(id: string, seconds: number): Promise<void>;
  /**
   * Notes that the phone was notified of the outcome as of `version`, which never decreases. Does not change the
   * proposal's version.
   */
  told(id: string, version: number): Promise<void>;
}
