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

/** One proposal as the gateway keeps it. Times are milliseconds since the epoch, the interval is seconds. */
export interface StoredProposal {
  readonly id: string;
  /** Whose account it is about, and whose phone rings: the owner. */
  readonly sub: string;
  /** Who proposed it, where that is somebody else than the owner. */
  readonly proposedBy: string | undefined;
  /** Who must say yes as well, after the owner; undefined where the owner's yes is enough. */
  readonly second: string | undefined;
  /** The OAuth client that proposed it. */
  readonly client: string;
  /** As whose its proposer came, and who acted for them, where their token told. */
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
  /** For what is signed, 22 base64url characters; undefined where it was drafted before there were signatures. */
  readonly nonce: string | undefined;
  readonly worstCase: WorstCase | null;
  readonly warnings: readonly string[];
  readonly shows: Readonly<Record<string, string>>;
  readonly provenance: Provenance | null;
  readonly requestedBy: string | null;
  readonly again: number | undefined;
  /** Whether all of it is the person's own typing: such have a quota of their own. */
  readonly typed: boolean;
  readonly createdAt: number;
  readonly updatedAt: number;
  /** Rises with each change of any proposal, by a draft or by {@link ProposalStore.change}: the id of an event. */
  readonly version: number;
  /** When it can no longer be carried out: the subject's own `expires_at`. */
  readonly deadline: number;
  /** The earlier of that and the identity provider's; the deadline while the provider has said nothing. */
  readonly expiresAt: number;
  /** Of the question that is being asked, or was asked last. */
  readonly authReqId: string | undefined;
  /** Of the question that the owner said yes to, where a second person must say so too. */
  readonly ownerAuthReqId: string | undefined;
  /** 5 until the provider says otherwise (CIBA Core §7.3). */
  readonly interval: number;
  /** How often the person was asked. */
  readonly asked: number;
  readonly hasToken: boolean;
  readonly tokenExpiresAt: number | undefined;
  readonly result: unknown;
  readonly reason: Reason | undefined;
}

/** What is drafted; the store adds state, times and counters. */
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

/** All of a proposal that changes, as it is to be. */
export interface ProposalChange
  extends Pick<
      StoredProposal,
      'state' | 'authReqId' | 'interval' | 'expiresAt' | 'asked' | 'result' | 'reason'
    >,
    Partial<Pick<StoredProposal, 'ownerAuthReqId'>> {
  /** The owner's. Where it is erased, so is the second person's. */
  readonly token: 'kept' | 'erased' | { readonly sealed: Buffer; readonly expiresAt: number };
  /** The second person's, where it has come. */
  readonly secondToken?: Buffer | undefined;
}

/** `stale`: the proposal is no longer as it was seen; `halted`: it was to be changed unless. Then nothing was written. */
export interface ProposalChanged {
  readonly outcome: 'moved' | 'stale' | 'halted';
  /** As it is now. */
  readonly proposal: StoredProposal;
}

/** One proposer's key, and what it stands for. */
export interface ProposalKey {
  /** Who proposes. */
  readonly sub: string;
  readonly client: string;
  readonly key: string;
}

/** A key as it was used: `request` is the digest of the body that came with it. */
export interface KeyedRequest extends ProposalKey {
  readonly request: string;
}

/** What an earlier request under a key came to. */
export interface Keyed {
  readonly request: string;
  readonly proposal: StoredProposal;
}

/** How a person, and one proposer of theirs, stand: what a new proposal is held to. */
export interface Standing {
  /** Another one as soon as any proposal of this person changes, or their halt does. */
  readonly epoch: string;
  readonly haltedAt: number | undefined;
  /** Of all that is open of this person, whoever proposed it. */
  readonly openCodes: readonly string[];
  /** Of this proposer: open ones, and those drafted since the time asked for. */
  readonly open: number;
  readonly lately: number;
  /**
   * Of this client: the latest two that the person had their say about (`approved`, `executing`, `unknown`, `executed`,
   * `denied`), newest first; of the same millisecond the one of the higher version.
   */
  readonly decided: readonly { readonly state: ProposalState; readonly at: number }[];
  /** Of this client, what asks for the same and is not decided yet (`drafted`, `requested`): the oldest. */
  readonly sameOpen: StoredProposal | undefined;
  /** How many of this person's asked for the same since then, open or not, whoever proposed them. */
  readonly sameLately: number;
}

/** Whose proposals are counted together: those that one client, used by one person, has for one owner. */
export interface StandingQuery {
  /** The owner, who would be asked. */
  readonly sub: string;
  /** Who proposes, where that is somebody else. */
  readonly proposedBy?: string | undefined;
  readonly client: string;
  readonly typed: boolean;
  /** What two have in common that ask for the same; nothing is looked for where it is left out. */
  readonly fingerprint?: string;
}

/**
 * Where proposals are kept for good. Each method is one unit of work, in one transaction that is on disk when the promise
 * resolves: what is to hold of what the caller read stands in its arguments (an epoch, a version), is looked at in that
 * transaction, and the answer says whether it held. Times are milliseconds since the epoch. What may follow on what is not
 * decided here: the table of states is the kernel's. Open is what is not settled (`isSettledState`), `unknown` too.
 *
 * What is written is kept as JSON has it, and is the store's own: who changes an object afterwards changes nothing here. Of
 * proposals of the same millisecond, the one drafted later is the newer.
 *
 * @example
 * ```ts
 * import type { AuditNote } from './audit.ts';
 * import type { ProposalStore, StoredProposal } from './proposal-store.ts';
 *
 * // A compare-and-set: of two who saw the same, one moves it, and the other is told that it is stale.
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
  /** An owner's, by what it is about: a `client_order_id`, a mandate's id. */
  ofSubject(sub: string, subjectId: string): Promise<StoredProposal | undefined>;
  keyed(key: ProposalKey): Promise<Keyed | undefined>;
  /** Newest first. */
  list(filter: {
    /** Of this owner. */
    sub?: string;
    /** Of this owner, or proposed by this person; instead of `sub`. */
    party?: string;
    state: 'open' | 'all';
    limit?: number;
  }): Promise<StoredProposal[]>;
  /** Of everybody's open ones, oldest first. @param state of this state alone */
  openIds(state?: 'unknown'): Promise<string[]>;
  /** Those of an owner, or proposed by this person, that changed after a version, in the order of their changes; 500 at most. */
  changedSince(party: string, version: number): Promise<StoredProposal[]>;
  /** The latest version there is. */
  version(): Promise<number>;
  /**
   * Those that the phone was asked about and whose latest version it was not told of, where it does not know by itself what
   * became of them (`executed`, `cancelled`, `expired`, `blocked`, `unknown`); in the order of their changes. An earlier
   * process died in between.
   */
  untold(): Promise<StoredProposal[]>;
  /** The sealed token of the owner's yes, or of the second person's. */
  sealedToken(id: string, of?: 'owner' | 'second'): Promise<Buffer | undefined>;
  /** All as of one moment. @param since milliseconds since the epoch */
  standing(of: StandingQuery, since: number): Promise<Standing>;
  /**
   * Writes a `drafted` proposal with its key and its line of the record. `known`: the key stands for one already. `stale`:
   * the person's epoch is another. Then nothing was written.
   * @throws where there is one of this id, or of this person with this `subjectId`; nothing was written
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
  /** Has another key stand for a proposal too: one that asks for the same as an open one. Answers as for a draft. */
  alias(
    key: KeyedRequest,
    proposal: string,
    expected: { readonly epoch: string },
  ): Promise<{ readonly outcome: 'kept' | 'stale' } | ({ readonly outcome: 'known' } & Keyed)>;
  /**
   * Changes a proposal that is still of the version that was seen, and writes the line of the record.
   * @param options.unlessHalted whether the trading of its person must go on
   * @throws where there is no such proposal, or another has this `authReqId`; nothing was written, no line either
   */
  change(
    seen: Pick<StoredProposal, 'id' | 'version'>,
    change: ProposalChange,
    note: AuditNote,
    options: { readonly now: number; readonly unlessHalted?: boolean },
  ): Promise<ProposalChanged>;
  /** Seconds between polls from now on. No change that anybody is told of: the version stays. */
  setInterval(id: string, seconds: number): Promise<void>;
  /** Notes that the phone was told what became of it, as of that version; never less than before. The version stays. */
  told(id: string, version: number): Promise<void>;
}
