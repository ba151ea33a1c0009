import type { Clock } from '../machine/clock.ts';
import type { TokenSeal } from '../secrets/token-seal.ts';
import type { AuditEvent } from '../store/audit.ts';
import type {
  Draft,
  ProposalChange,
  ProposalStore,
  Reason,
  StoredProposal,
} from '../store/proposal-store.ts';
import { questionHash } from '../store/rows/question-id.ts';
import { isSettledState, type ProposalState, proposalStates } from '../trading/proposal.ts';
import { defined } from '../values/defined.ts';
import { mandateOf, passesHalt } from './access.ts';

/*
 * The one writer of a proposal's state, and of the line of the record that says so.
 *
 *  1. What may follow on what stands in one table (`transitions`), and is looked up by the state that the caller saw.
 *  2. The store changes the row only while it is still of the version that the caller saw, in the transaction that
 *     changes it. So what was looked up holds, whoever else moved something between the look and the write: they are told
 *     `stale`, and nothing of theirs is written. Every change gives a row a version of its own.
 *  3. The line of the record is written in the same transaction: no move without its line, no line without its move.
 *  4. Nothing that was approved is begun under a halt: that too is looked at in the transaction. A halt that is committed
 *     later finds the proposal `executing`.
 */

/**
 * Every change a proposal may go through; what isn't here can't happen. {@link Moves}, a compare-and-set, is the one
 * writer.
 *
 * - `drafted → approved`: by a mandate that the owner gave before; nobody is asked.
 * - `drafted → denied`: the answer to an earlier question arrived, while the person was about to be asked again.
 * - `requested → requested`: one of two people said yes, and the other is asked.
 * - `requested → drafted`: the answer was lost after the person decided, so they are asked again.
 * - `executing → approved`: it certainly came to nothing (the broker was busy), and the approval still stands.
 * - `executing → executing`: a gateway that died in between goes on.
 * - `expired → executed`: the order had been written off, and was found at the broker afterwards. Proof overrides inference.
 * - `unknown` is not an end: the order may be at the broker. Only an answer about it leads out.
 */
export const transitions: Readonly<Record<ProposalState, readonly ProposalState[]>> = {
  drafted: ['requested', 'approved', 'denied', 'expired', 'cancelled', 'blocked'],
  requested: ['requested', 'drafted', 'approved', 'denied', 'expired', 'cancelled', 'blocked'],
  approved: ['executing', 'expired', 'cancelled', 'blocked'],
  executing: ['executing', 'approved', 'executed', 'blocked', 'expired', 'unknown'],
  unknown: ['executing', 'executed', 'blocked', 'expired'],
  executed: [],
  denied: [],
  expired: ['executed'],
  cancelled: [],
  blocked: [],
};

/** The states that are not settled, for queries. */
export const openStates = proposalStates.filter((state) => !isSettledState(state));

export interface ApprovalToken {
  readonly value: string;
  readonly expiresAt: number;
}

/** What may change along with a state. A token is sealed before it reaches the disk. */
export interface Changes {
  readonly authReqId?: string;
  readonly interval?: number;
  readonly expiresAt?: number;
  /** With this question counted. */
  readonly asked?: number;
  /** The owner's. */
  readonly token?: ApprovalToken;
  readonly ownerAuthReqId?: string;
  readonly secondToken?: ApprovalToken;
  readonly result?: unknown;
  readonly reason?: Reason;
}

export interface Move {
  /**
   * `stale`: it is no longer as it was seen; `barred`: nothing of this state can become that; `halted`: the person's
   * trading is. Then nothing was written.
   */
  readonly outcome: 'moved' | 'stale' | 'barred' | 'halted';
  /** As it is now; as it was seen, where it is barred. */
  readonly proposal: StoredProposal;
}

/** What changes a proposal's state, over its store. */
export class Moves {
  readonly #store: Pick<ProposalStore, 'change' | 'sealedToken'>;
  readonly #seal: TokenSeal;
  readonly #clock: Pick<Clock, 'now'>;

  constructor(
    store: Pick<ProposalStore, 'change' | 'sealedToken'>,
    seal: TokenSeal,
    clock: Pick<Clock, 'now'>,
  ) {
    this.#store = store;
    this.#seal = seal;
    this.#clock = clock;
  }

  /** Moves a proposal from where it was seen. */
  async move(seen: StoredProposal, to: ProposalState, changes: Changes = {}): Promise<Move> {
    if (!transitions[seen.state].includes(to)) return { outcome: 'barred', proposal: seen };
    const begins = seen.state === 'approved' && to === 'executing';
    const unlessHalted = begins && !passesHalt(seen.kind);
    return await this.#change(seen, changed(seen, to, changes, this.#seal), unlessHalted);
  }

  /** Notes what became of what was carried out (a later fill). @param reason what there is to say about it; as before, where left out */
  async recordResult(seen: StoredProposal, result: unknown, reason = seen.reason): Promise<Move> {
    if (seen.state !== 'executed') return { outcome: 'barred', proposal: seen };
    return await this.#change(seen, { ...seen, result, reason, token: 'kept' }, false);
  }

  /** The token of the owner's yes, or of the second person's. @throws {TradeAgentError} `state_corrupt` */
  async token(proposal: StoredProposal, of: 'owner' | 'second' = 'owner'): Promise<string | undefined> {
    const sealed = await this.#store.sealedToken(proposal.id, of);
    return sealed === undefined ? undefined : this.#seal.open(sealed, sealContext(proposal, of));
  }

  async #change(seen: StoredProposal, after: ProposalChange, unlessHalted: boolean): Promise<Move> {
    const note = { event: auditEvent(seen, after), facts: proposalFacts({ ...seen, ...after }) };
    return await this.#store.change(seen, after, note, { now: this.#clock.now(), unlessHalted });
  }
}

function changed(seen: StoredProposal, to: ProposalState, changes: Changes, seal: TokenSeal): ProposalChange {
  const again = to === 'drafted';
  const over = isSettledState(to);
  const { token, secondToken } = changes;
  return {
    state: to,
    // Kept where it is over: the phone is told by it what became of the question.
    authReqId: again ? undefined : (changes.authReqId ?? seen.authReqId),
    ownerAuthReqId: again ? undefined : (changes.ownerAuthReqId ?? seen.ownerAuthReqId),
    interval: changes.interval ?? seen.interval,
    expiresAt: changes.expiresAt ?? seen.expiresAt,
    asked: changes.asked ?? seen.asked,
    result: changes.result === undefined ? seen.result : changes.result,
    reason: changes.reason,
    token:
      again || over
        ? 'erased'
        : token === undefined
          ? 'kept'
          : { sealed: seal.seal(token.value, sealContext(seen, 'owner')), expiresAt: token.expiresAt },
    ...(secondToken === undefined
      ? {}
      : { secondToken: seal.seal(secondToken.value, sealContext(seen, 'second')) }),
  };
}

/** A token opens in its own row and place alone. */
function sealContext({ id, digest }: StoredProposal, of: 'owner' | 'second'): string {
  return of === 'owner' ? `${id} ${digest}` : `${id} ${digest} second`;
}

function auditEvent(seen: StoredProposal, after: ProposalChange): AuditEvent {
  const [from, to] = [seen.state, after.state];
  if (from === 'requested' && to === 'requested') {
    if (after.ownerAuthReqId !== seen.ownerAuthReqId) return 'owner_approved';
    return after.authReqId === after.ownerAuthReqId ? 'asked_again' : 'second_requested';
  }
  if (to === 'drafted') return 'asked_again';
  if (to === 'approved' && from === 'drafted') return 'approved_by_mandate';
  if (to === 'approved' && from === 'executing') return 'not_taken';
  return to;
}

/** What the record says of a proposal: everything but tokens, and of the question its hash, by which the provider's log is found. */
export function proposalFacts(
  proposal: Draft & { readonly state: ProposalState } & Partial<
      Pick<StoredProposal, 'reason' | 'result' | 'authReqId'>
    >,
): Record<string, unknown> {
  const { id, sub, client, kind, state, code, digest, subject, worstCase, requestedBy, provenance } =
    proposal;
  const { reason, result, authReqId, proposedBy, second, membership } = proposal;
  const mandate = mandateOf(proposal);
  return {
    proposal: id,
    sub,
    ...defined({ proposed_by: proposedBy, second }),
    client,
    ...membership,
    kind,
    state,
    code,
    digest,
    subject,
    worst_case: worstCase,
    requested_by: requestedBy,
    provenance,
    ...defined({ mandate }),
    ...(authReqId === undefined ? {} : { auth_req_hash: questionHash(authReqId) }),
    ...defined({ reason, result }),
  };
}
