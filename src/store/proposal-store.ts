import type { ProblemCode } from '../errors/problem-codes.ts';
import type { Membership } from '../oauth/membership.ts';
import type { ProposalKind, ProposalState, Provenance, WorstCase } from '../trading/proposal.ts';
import type { AuditNote } from './audit.ts';

/** Why a proposal ended as it did, or what it waits for. */
export interface Reason {
  /** A problem's code. */
  readonly code: ProblemCode;
  readonly text: string;
  /** The problem's own members: `reason`, `limit`, `value`, `broker_message`. */
  readonly members?: Readonly<Record<string, unknown>>;
}

/** A proposal as the gateway stores it. Times are milliseconds since the epoch, the interval is seconds. */
export interface StoredProposal {
  readonly id: string;
  /** The account's owner, who is asked. */
  readonly sub: string;
  /** Who proposed it, if not the owner. */
  readonly proposedBy: string | undefined;
  /** Who must approve it after the owner, if anybody. */
  readonly second: string | undefined;
  /** The OAuth client that proposed it. */
  readonly client: string;
  /** The membership in the proposer's token. */
  readonly membership?: Membership | undefined;
  /** For providers that find people by name. */
  readonly username: string | undefined;
  readonly email: string | undefined;
  readonly kind: ProposalKind;
  readonly state: ProposalState;
  readonly code: string;
  readonly subject: unknown;
  readonly subjectId: string;
  readonly fingerprint: string;
  readonly digest: string;
  /** For the signature: 22 base64url characters. */
  readonly nonce: string | undefined;
  readonly worstCase: WorstCase | null;
  readonly warnings: readonly string[];
  readonly shows: Readonly<Record<string, string>>;
  readonly provenance: Provenance | null;
  readonly requestedBy: string | null;
  readonly again: number | undefined;
  /** All of it was typed by the person; such proposals have their own quota. */
  readonly typed: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Raised by each draft and change of any proposal: the id of an event. */
  readonly version: number;
  /** When it can no longer be carried out: the subject's own `expires_at`. */
  readonly deadline: number;
  /** The earlier of the deadline and the identity provider's expiry. */
  readonly expiresAt: number;
  /** Of the latest question. */
  readonly authReqId: string | undefined;
  /** Of the question that the owner approved, if a second person must approve too. */
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

/** What of a proposal may change, as it is to be. */
export interface ProposalChange
  extends Pick<
      StoredProposal,
      'state' | 'authReqId' | 'interval' | 'expiresAt' | 'asked' | 'result' | 'reason'
    >,
    Partial<Pick<StoredProposal, 'ownerAuthReqId'>> {
  /** The owner's; `erased` erases the second person's too. */
  readonly token: 'kept' | 'erased' | { readonly sealed: Buffer; readonly expiresAt: number };
  readonly secondToken?: Buffer | undefined;
}

/** `stale`: it has changed since it was seen; `halted`: see `unlessHalted`. Nothing was written then. */
export interface ProposalChanged {
  readonly outcome: 'moved' | 'stale' | 'halted';
  /** As it is now. */
  readonly proposal: StoredProposal;
}

/** A proposer's Idempotency-Key. */
export interface ProposalKey {
  readonly sub: string;
  readonly client: string;
  readonly key: string;
}

/** `request` is the digest of the body that came with the key. */
export interface KeyedRequest extends ProposalKey {
  readonly request: string;
}

/** The earlier request under a key, and its proposal. */
export interface Keyed {
  readonly request: string;
  readonly proposal: StoredProposal;
}

/** What a new proposal is checked against. */
export interface Standing {
  /** Changes with any proposal of this owner, and with their halt. */
  readonly epoch: string;
  readonly haltedAt: number | undefined;
  /** Of all open proposals of the owner. */
  readonly openCodes: readonly string[];
  /** Of this proposer: open, and drafted since the time asked for. */
  readonly open: number;
  readonly lately: number;
  /** Of this client: the latest two that were decided (`DECIDED`), newest first. */
  readonly decided: readonly { readonly state: ProposalState; readonly at: number }[];
  /** Of this client: the oldest undecided one (`drafted`, `requested`) that asks for the same. */
  readonly sameOpen: StoredProposal | undefined;
  /** How many of the owner's asked for the same since then, whoever proposed them. */
  readonly sameLately: number;
}

/** Proposals are counted per owner, proposer and client. */
export interface StandingQuery {
  /** The owner. */
  readonly sub: string;
  /** Who proposes, if not the owner. */
  readonly proposedBy?: string | undefined;
  readonly client: string;
  readonly typed: boolean;
  /** Equal for proposals that ask for the same; without it none is looked for. */
  readonly fingerprint?: string;
}

/**
 * The proposals. Each method is one transaction, on disk when the promise resolves. What the caller read is passed back as an
 * epoch or a version and compared in that transaction. Times are milliseconds since the epoch. Which state may follow which
 * is not checked here (`transitions`). Open is what is not settled (`isSettledState`): `unknown` too. Of proposals of the
 * same millisecond, the one drafted later is the newer.
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
  /** @param subjectId a `client_order_id`, a mandate's id */
  ofSubject(sub: string, subjectId: string): Promise<StoredProposal | undefined>;
  keyed(key: ProposalKey): Promise<Keyed | undefined>;
  /** Newest first. */
  list(filter: {
    sub?: string;
    /** Their own, or proposed by them; instead of `sub`. */
    party?: string;
    state: 'open' | 'all';
    limit?: number;
  }): Promise<StoredProposal[]>;
  /** All open ones, oldest first. */
  openIds(state?: 'unknown'): Promise<string[]>;
  /** A party's that changed after a version, in the order of their changes; 500 at most. */
  changedSince(party: string, version: number): Promise<StoredProposal[]>;
  /** The latest version. */
  version(): Promise<number>;
  /**
   * Those whose outcome (`TOLD`) the phone was asked about and not notified of, since a process died in between; in the
   * order of their changes.
   */
  untold(): Promise<StoredProposal[]>;
  sealedToken(id: string, of?: 'owner' | 'second'): Promise<Buffer | undefined>;
  /** As of one moment. */
  standing(of: StandingQuery, since: number): Promise<Standing>;
  /**
   * Writes a `drafted` proposal with its key and its line of the record. `known`: the key was used already. `stale`: the
   * owner's epoch has changed. Nothing was written then.
   * @throws for an id that is taken, or a `subjectId` of this owner's; nothing was written
   */
  draft(
    draft: Draft,
    key: KeyedRequest,
    expected: { readonly epoch: string },
    note: AuditNote,
    now: number,
  ): Promise<
    | { readonly outcome: 'drafted'; readonly proposal: StoredProposal }
    | ({ readonly outcome: 'known' } & Keyed)
    | { readonly outcome: 'stale' }
  >;
  /** Lets another key stand for an open proposal that asks for the same. Answers as for a draft. */
  alias(
    key: KeyedRequest,
    proposal: string,
    expected: { readonly epoch: string },
  ): Promise<{ readonly outcome: 'kept' | 'stale' } | ({ readonly outcome: 'known' } & Keyed)>;
  /**
   * Changes a proposal that still has the version that was seen, and writes the line of the record.
   * @param options.unlessHalted whether to change nothing while the owner's trading is halted
   * @throws if there is no such proposal, or another has this `authReqId`; nothing was written
   */
  change(
    seen: Pick<StoredProposal, 'id' | 'version'>,
    change: ProposalChange,
    note: AuditNote,
    options: { readonly now: number; readonly unlessHalted?: boolean },
  ): Promise<ProposalChanged>;
  /** Seconds between polls. The version stays. */
  setInterval(id: string, seconds: number): Promise<void>;
  /** The phone was notified of the outcome as of that version; never lowered. The version stays. */
  told(id: string, version: number): Promise<void>;
}
