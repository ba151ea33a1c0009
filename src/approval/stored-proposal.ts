import type { ProblemCode } from '../trading/problem-codes.ts';
import type { ProposalKind, ProposalState, Provenance, WorstCase } from '../trading/proposal.ts';

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
  readonly sub: string;
  /** The OAuth client that proposed it. */
  readonly client: string;
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
  /** Rises with each change of any proposal: the id of an event. */
  readonly version: number;
  /** When it can no longer be carried out: the subject's own `expires_at`. */
  readonly deadline: number;
  /** The earlier of that and the identity provider's. */
  readonly expiresAt: number;
  readonly authReqId: string | undefined;
  readonly notificationToken: string | undefined;
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
  | 'worstCase'
  | 'warnings'
  | 'shows'
  | 'provenance'
  | 'requestedBy'
  | 'again'
  | 'typed'
  | 'deadline'
>;

/** What may change along with a state. A token is sealed before it reaches the disk. */
export interface Changes {
  readonly authReqId?: string;
  readonly notificationToken?: string;
  readonly interval?: number;
  readonly expiresAt?: number;
  readonly token?: { readonly value: string; readonly expiresAt: number };
  readonly result?: unknown;
  readonly reason?: Reason;
}

/** `moved` is false where the row was elsewhere already: `proposal` then tells where. */
export interface Move {
  readonly moved: boolean;
  readonly proposal: StoredProposal;
}

/** One proposer's key, and what it stands for. */
export interface ProposalKey {
  readonly sub: string;
  readonly client: string;
  readonly key: string;
}

/** Where proposals are kept for good. {@link ProposalStore.move} is the only writer of a state. */
export interface ProposalStore {
  /** What a key stands for; `request` is the digest of the body that came with it. */
  keyed(key: ProposalKey): { readonly request: string; readonly proposal: StoredProposal } | undefined;
  /** Has another key stand for the proposal too: one that asks for the same as an open one. */
  alias(key: ProposalKey, request: string, id: string): void;
  /** Writes a `drafted` proposal and its audit line. To be called in {@link inOneCommit}. */
  draft(draft: Draft, key: ProposalKey, request: string): StoredProposal;
  get(id: string): StoredProposal | undefined;
  byAuthReqId(authReqId: string): StoredProposal | undefined;
  list(filter: { sub?: string; state: 'open' | 'all'; limit?: number }): StoredProposal[];
  /** Of everybody's open ones, oldest first. */
  openIds(): string[];
  /** Those that changed after a version, in the order of their changes. */
  changedSince(sub: string, version: number): StoredProposal[];
  /** The latest version there is. */
  version(): number;
  /**
   * Compare-and-set: moves to `to` only where the state now stored allows it. `from` narrows that to one state,
   * `authReqId` to the answer of one question. Notes the audit line in the same transaction.
   */
  move(
    id: string,
    to: ProposalState,
    changes?: Changes,
    guard?: { readonly from?: ProposalState; readonly authReqId?: string },
  ): Move;
  /** Seconds between polls from now on. */
  setInterval(id: string, seconds: number): void;
  /** Notes what became of what was carried out (a later fill). */
  updateResult(id: string, result: unknown): StoredProposal;
  /** Notes that the phone was told what became of it, as of that version. */
  told(id: string, version: number): void;
  /** Those whose latest state the phone was not told of, oldest first: an earlier process died in between. */
  untold(): StoredProposal[];
  /** The sealed token. @throws {TradeAgentError} `state_corrupt` */
  token(id: string): string | undefined;
  /** How much one proposer has asked lately. */
  usage(of: { sub: string; client: string; typed: boolean }, since: number): { open: number; lately: number };
  /** The latest decided proposals of one proposer, newest first. */
  decided(of: { sub: string; client: string }, limit: number): { state: ProposalState; at: number }[];
  /** An open proposal that asks for the same, and how many did since a time, open or not. */
  same(
    of: { sub: string; client: string; fingerprint: string },
    since: number,
  ): { open?: StoredProposal; count: number };
  /** All in one transaction that is on disk when this returns. */
  inOneCommit<T>(work: () => T): T;
}
