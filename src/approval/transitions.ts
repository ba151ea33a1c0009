import type { Clock } from '../machine/clock.ts';
import type { TokenSeal } from '../secrets/token-seal.ts';
import type { AuditEvent } from '../store/audit.ts';
import type {
  ProposalChange,
  ProposalDraft,
  ProposalReason,
  ProposalStore,
  StoredProposal,
} from '../store/proposal-store.ts';
import { hashAuthReqId } from '../store/rows/auth-req-id.ts';
import { isSettledState, type ProposalState, proposalStates } from '../trading/proposal.ts';
import { defined } from '../values/defined.ts';
import { findApprovingMandate, isAllowedDuringHalt } from './access.ts';

/*
 * The only writer of a proposal's state, and of the audit line that records it.
 *
 *  1. One table (`allowedTransitions`) lists what may follow each state. It is looked up with the state that the caller
 *     saw.
 *  2. The store changes the row only if it still has the version that the caller saw, checked in the same transaction.
 *     Otherwise two writers could both act on one state. The later one gets `stale`, and none of its change is written.
 *     Every change gives the row a new version.
 *  3. The audit line is written in the same transaction, so there is no transition without its line, nor the reverse.
 *  4. No approved proposal starts to execute during a halt, which is checked in the transaction too. A halt that is
 *     committed later finds the proposal `executing`.
 */

/**
 * All transitions that a proposal may go through. No other transition is possible, because {@link ProposalTransitions}
 * is the only writer, and writes only if the row is unchanged.
 *
 * - `drafted → approved`: a mandate covers the proposal, so nobody is asked.
 * - `drafted → denied`: a denial of an earlier request arrived while the person was about to be asked again.
 * - `requested → requested`: one of two approvers has approved, and the other is asked.
 * - `requested → drafted`: the person's decision was lost, so the person is asked again.
 * - `executing → approved`: the attempt certainly had no effect (the broker was busy), and the approval is still valid.
 * - `executing → executing`: another process continues after a crash.
 * - `expired → executed`: the order had been given up, and was then found at the broker.
 * - `unknown` is not final: the order may be at the broker. Only information from the broker ends this state.
 */
export const allowedTransitions: Readonly<Record<ProposalState, readonly ProposalState[]>> = {
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

export const openStates = proposalStates.filter((state) => !isSettledState(state));

export interface ApprovalToken {
  readonly value: string;
  readonly expiresAt: number;
}

/** Fields that may change together with a state. A token is sealed before it is stored. */
export interface ProposalPatch {
  readonly authReqId?: string;
  readonly interval?: number;
  readonly expiresAt?: number;
  /** Number of approval requests so far, including the current one. */
  readonly asked?: number;
  readonly token?: ApprovalToken;
  readonly ownerAuthReqId?: string;
  readonly secondToken?: ApprovalToken;
  readonly result?: unknown;
  readonly reason?: ProposalReason;
}

export interface TransitionResult {
  /**
   * `stale`: the row has changed since it was read. `barred`: this transition is not allowed. `halted`: the person's
   * trading is halted. In these three cases, nothing was written.
   */
  readonly outcome: 'moved' | 'stale' | 'barred' | 'halted';
  /** The current row; if `barred`, the row that was passed in. */
  readonly proposal: StoredProposal;
}

export class ProposalTransitions {
  readonly #store: Pick<ProposalStore, 'change' | 'sealedToken'>;
  readonly #seal: TokenSeal;
  readonly #clock: Pick<Clock, 'now'>;

  constructor(store: Pick<ProposalStore, 'change' | 'sealedToken'>, seal: TokenSeal, clock: Pick<Clock, 'now'>) {
    this.#store = store;
    this.#seal = seal;
    this.#clock = clock;
  }

  /** Changes a proposal's state, if its row has not changed since it was read. */
  async move(seen: StoredProposal, to: ProposalState, changes: ProposalPatch = {}): Promise<TransitionResult> {
    if (!allowedTransitions[seen.state].includes(to)) return { outcome: 'barred', proposal: seen };
    const begins = seen.state === 'approved' && to === 'executing';
    const unlessHalted = begins && !isAllowedDuringHalt(seen.kind);
    return await this.#change(seen, toProposalChange(seen, to, changes, this.#seal), unlessHalted);
  }

  /** Records an executed proposal's later result, such as a fill. @param reason defaults to the current reason */
  async recordResult(seen: StoredProposal, result: unknown, reason = seen.reason): Promise<TransitionResult> {
    if (seen.state !== 'executed') return { outcome: 'barred', proposal: seen };
    return await this.#change(seen, { ...seen, result, reason, token: 'kept' }, false);
  }

  /** Returns the token of the owner's or the second approver's approval. @throws {TradeAgentError} `state_corrupt` */
  async token(proposal: StoredProposal, of: 'owner' | 'second' = 'owner'): Promise<string | undefined> {
    const sealed = await this.#store.sealedToken(proposal.id, of);
    return sealed === undefined ? undefined : this.#seal.open(sealed, sealContext(proposal, of));
  }

  async #change(seen: StoredProposal, after: ProposalChange, unlessHalted: boolean): Promise<TransitionResult> {
    const note = { event: auditEvent(seen, after), facts: proposalAuditFacts({ ...seen, ...after }) };
    return await this.#store.change(seen, after, note, { now: this.#clock.now(), unlessHalted });
  }
}

function toProposalChange(
  seen: StoredProposal,
  to: ProposalState,
  changes: ProposalPatch,
  seal: TokenSeal,
): ProposalChange {
  const again = to === 'drafted';
  const over = isSettledState(to);
  const { token, secondToken } = changes;
  return {
    state: to,
    // The id is kept after the end, to notify the phone of the outcome.
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
    ...(secondToken === undefined ? {} : { secondToken: seal.seal(secondToken.value, sealContext(seen, 'second')) }),
  };
}

/** Returns the context to which a sealed token is bound, so that it can be unsealed only in its own row and column. */
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

/**
 * Returns a proposal's facts for the audit log. They contain no tokens, but they contain the hash of the approval
 * request's ID, which finds the request in the provider's log.
 */
export function proposalAuditFacts(
  proposal: ProposalDraft & { readonly state: ProposalState } & Partial<
      Pick<StoredProposal, 'reason' | 'result' | 'authReqId'>
    >,
): Record<string, unknown> {
  const { id, sub, client, kind, state, code, digest, subject, worstCase, requestedBy, provenance } = proposal;
  const { reason, result, authReqId, proposedBy, second, membership, codeEntry, policy } = proposal;
  const mandate = findApprovingMandate(proposal);
  return {
    proposal: id,
    sub,
    ...defined({ proposed_by: proposedBy, second }),
    client,
    ...membership,
    kind,
    state,
    code,
    ...defined({ code_entry: codeEntry, policy }),
    digest,
    subject,
    worst_case: worstCase,
    requested_by: requestedBy,
    provenance,
    ...defined({ mandate }),
    ...(authReqId === undefined ? {} : { auth_req_hash: hashAuthReqId(authReqId) }),
    ...defined({ reason, result }),
  };
}
