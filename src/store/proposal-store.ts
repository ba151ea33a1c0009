import type { ProblemCode } from '../errors/problem-codes.ts';
import type { TraceIds } from '../machine/log-context.ts';
import type { Membership } from '../oauth/membership.ts';
import type { CodeEntry, ProposalKind, ProposalState, Provenance, WorstCase } from '../trading/proposal.ts';
import type { AuditNote } from './audit.ts';

/** The reason why a proposal ended or is waiting. */
export interface ProposalReason {
  readonly code: ProblemCode;
  readonly text: string;
  /** The HTTP problem's extension members: `reason`, `limit`, `value`, `broker_message`. */
  readonly members?: Readonly<Record<string, unknown>>;
}

/** A proposal in the gateway's store. Times are milliseconds since the epoch. */
export interface StoredProposal {
  readonly id: string;
  /** The `sub` of the account's owner, who approves the proposal. */
  readonly sub: string;
  /** The proposer's `sub`. Undefined if the owner is the proposer. */
  readonly proposedBy: string | undefined;
  /** The second approver's `sub`. Undefined if only the owner must approve the proposal. */
  readonly second: string | undefined;
  readonly client: string;
  readonly membership?: Membership | undefined;
  /** The trace in which the proposal was made. All later work on the proposal continues this trace. */
  readonly trace?: TraceIds | undefined;
  /** The owner's login name, for identity providers that identify people by login name. */
  readonly username: string | undefined;
  readonly email: string | undefined;
  readonly kind: ProposalKind;
  readonly state: ProposalState;
  readonly code: string;
  /** `typed` if the person must type the code to approve. */
  readonly codeEntry?: CodeEntry | undefined;
  /** The digest of the rules that allowed the order to be proposed. The proposal's digest covers it. */
  readonly policy?: string | undefined;
  readonly subject: unknown;
  readonly subjectId: string;
  readonly fingerprint: string;
  readonly digest: string;
  /** Nonce that the approval's signature covers. 22 base64url characters. */
  readonly nonce: string | undefined;
  readonly worstCase: WorstCase | null;
  readonly warnings: readonly string[];
  readonly shows: Readonly<Record<string, string>>;
  readonly provenance: Provenance | null;
  readonly requestedBy: string | null;
  readonly again: number | undefined;
  /** Whether the person typed every field of the proposal. Typed proposals have their own quota. */
  readonly typed: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
  /**
   * Assigned when the proposal is drafted and at each change, and higher than all earlier versions of the owner's and
   * the proposer's proposals. Also the ID of the change's event.
   */
  readonly version: number;
  /** The subject's `expires_at`: the time after which the proposal can't be executed. */
  readonly deadline: number;
  /** The earlier of the deadline and the approval request's expiry at the identity provider. */
  readonly expiresAt: number;
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
  Partial<Pick<StoredProposal, 'proposedBy' | 'second' | 'membership' | 'trace' | 'codeEntry' | 'policy'>>;

export interface ProposalChange
  extends Pick<StoredProposal, 'state' | 'authReqId' | 'interval' | 'expiresAt' | 'asked' | 'result' | 'reason'>,
    Partial<Pick<StoredProposal, 'ownerAuthReqId'>> {
  /** The owner's stored token after the change. `erased` also erases the second approver's token. */
  readonly token: 'kept' | 'erased' | { readonly sealed: Buffer; readonly expiresAt: number };
  readonly secondToken?: Buffer | undefined;
}

/**
 * The result of a change. Nothing was written if it is `stale` (the proposal has changed since the caller read it) or
 * `halted` (see `unlessHalted`).
 */
export interface ProposalChangeResult {
  readonly outcome: 'moved' | 'stale' | 'halted';
  readonly proposal: StoredProposal;
}

export interface ProposalKey {
  readonly sub: string;
  readonly client: string;
  readonly key: string;
}

/** An Idempotency-Key, and the digest of the request body that the key was sent with. */
export interface KeyedRequest extends ProposalKey {
  readonly request: string;
}

export interface KeyedProposal {
  readonly request: string;
  readonly proposal: StoredProposal;
}

export interface ProposalSnapshot {
  /** Changes whenever one of the owner's proposals changes or the owner's trading is halted or resumed. */
  readonly epoch: string;
  readonly haltedAt: number | undefined;
  readonly openCodes: readonly string[];
  readonly open: number;
  /** Number of proposals since the given time with the same proposer, client and `typed` as the query. */
  readonly lastHour: number;
  /** This client's two most recent proposals that a person approved or denied (`DECIDED_STATES_SQL`), newest first. */
  readonly decided: readonly { readonly state: ProposalState; readonly at: number }[];
  /** This client's oldest identical proposal that still awaits a decision (`drafted`, `requested`). */
  readonly sameOpen: StoredProposal | undefined;
  /** Number of identical proposals for this owner, from any proposer, since the given time. */
  readonly sameRecently: number;
}

export interface SnapshotQuery {
  readonly sub: string;
  /** The proposer's `sub`. Undefined if the owner is the proposer. */
  readonly proposedBy?: string | undefined;
  readonly client: string;
  readonly typed: boolean;
  /** A string that is equal for identical proposals. If omitted, identical proposals are not counted. */
  readonly fingerprint?: string;
}

/**
 * Stores proposals. Each method is one transaction, which is on disk when the promise resolves. Callers pass the epoch
 * or version that they read. If it has changed, nothing is written. Times are milliseconds since the epoch. The store
 * does not check whether a state transition is allowed (see `transitions`). A proposal is open until it is settled
 * (`isSettledState`); `unknown` proposals are open. Of two proposals that were drafted in the same millisecond, the one
 * drafted later is newer.
 *
 * @example
 * ```ts
 * import type { AuditNote } from './audit.ts';
 * import type { ProposalStore, StoredProposal } from './proposal-store.ts';
 *
 * // A compare-and-set: if two callers read the same proposal, one of them changes it and the other gets `stale`.
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
  /** Returns whether the person has ever chosen this symbol for an order in their own words. */
  hasNamed(sub: string, symbol: string): Promise<boolean>;
  /** Finds a proposal. @param subjectId a `client_order_id` or a mandate's ID */
  bySubject(sub: string, subjectId: string): Promise<StoredProposal | undefined>;
  keyed(key: ProposalKey): Promise<KeyedProposal | undefined>;
  /** Lists proposals, newest first. */
  list(filter: {
    sub?: string;
    /** Lists only proposals whose owner or proposer is this person. An alternative to `sub`. */
    party?: string;
    state: 'open' | 'all';
    limit?: number;
  }): Promise<StoredProposal[]>;
  /** Returns the IDs of all proposals with an unknown outcome, oldest first. */
  unknownIds(): Promise<string[]>;
  /** Returns the number of open proposals, or `MAX_COUNTED` if there are more. */
  openCount(): Promise<number>;
  /**
   * Returns at most 500 proposals whose owner or proposer is `party` and that changed after the given version, in the
   * order of their changes.
   */
  changedSince(party: string, version: number): Promise<StoredProposal[]>;
  /** Returns the latest version of the proposals whose owner or proposer is `party`, or 0. */
  version(party: string): Promise<number>;
  /**
   * Returns proposals whose outcome (`PENDING_NOTICE_SQL`) was never sent to the phone because a process died, in the
   * order of their changes.
   */
  unreported(): Promise<StoredProposal[]>;
  /** Returns when the oldest proposal of `unreported` changed; undefined if there is none. */
  oldestUnreported(): Promise<number | undefined>;
  sealedToken(id: string, of?: 'owner' | 'second'): Promise<Buffer | undefined>;
  snapshot(of: SnapshotQuery, since: number): Promise<ProposalSnapshot>;
  /**
   * Writes a `drafted` proposal with its Idempotency-Key and its audit log entry. Writes nothing and returns `known` if
   * the key was already used, or `stale` if the owner's epoch has changed.
   * @throws if the proposal's ID or this owner's `subjectId` already exists; nothing is written
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
  /** Adds another Idempotency-Key to an identical open proposal. `known` and `stale` are as in `draft`. */
  addKey(
    key: KeyedRequest,
    proposal: string,
    expected: { readonly epoch: string },
  ): Promise<{ readonly outcome: 'kept' | 'stale' } | ({ readonly outcome: 'known' } & KeyedProposal)>;
  /**
   * Changes a proposal and writes the audit log entry, if the proposal still has the version that the caller read.
   * @param options.unlessHalted changes nothing while the owner's trading is halted
   * @throws if there is no such proposal, or another proposal has this `authReqId`; nothing is written
   */
  change(
    seen: Pick<StoredProposal, 'id' | 'version' | 'sub' | 'proposedBy'>,
    change: ProposalChange,
    note: AuditNote,
    options: { readonly now: number; readonly unlessHalted?: boolean },
  ): Promise<ProposalChangeResult>;
  /** Sets the proposal's poll interval, in seconds. Does not change the proposal's version. */
  setInterval(id: string, seconds: number): Promise<void>;
  /**
   * Records that the phone was notified of the outcome at `version`, unless a later version is recorded. Does not
   * change the proposal's own version.
   */
  markReported(id: string, version: number): Promise<void>;
}
