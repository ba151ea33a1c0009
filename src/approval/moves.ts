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
import { isSettledState, type ProposalState } from '../trading/proposal.ts';
import { defined } from '../values/defined.ts';
import { passesHalt } from './halts.ts';
import { mandateOf } from './mandate-of.ts';
import { transitions } from './states.ts';

/*
 * The one writer of a proposal's state, and of the line of the record that says so.
 *
 *  1. What may follow on what stands in one table (states.ts), and is looked up by the state that the caller saw.
 *  2. The store changes the row only while it is still of the version that the caller saw, in the transaction that
 *     changes it. So what was looked up holds, whoever else moved something between the look and the write: they are told
 *     `stale`, and nothing of theirs is written. Every change gives a row a version of its own.
 *  3. The line of the record is written in the same transaction: no move without its line, no line without its move.
 *  4. Nothing that was approved is begun under a halt: that too is looked at in the transaction. A halt that is committed
 *     later finds the proposal `executing`.
 */

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

export interface Moves {
  /** Moves a proposal from where it was seen. */
  move(seen: StoredProposal, to: ProposalState, changes?: Changes): Promise<Move>;
  /** Notes what became of what was carried out (a later fill). @param reason what there is to say about it; as before, where left out */
  recordResult(seen: StoredProposal, result: unknown, reason?: Reason): Promise<Move>;
  /** The token of the owner's yes, or of the second person's. @throws {TradeAgentError} `state_corrupt` */
  token(proposal: StoredProposal, of?: 'owner' | 'second'): Promise<string | undefined>;
}

export function createMoves(
  store: Pick<ProposalStore, 'change' | 'sealedToken'>,
  seal: TokenSeal,
  clock: Pick<Clock, 'now'>,
): Moves {
  const change = (seen: StoredProposal, after: ProposalChange, unlessHalted: boolean): Promise<Move> => {
    const facts = proposalFacts({ ...seen, ...after });
    const note = { event: auditEvent(seen, after), facts };
    return store.change(seen, after, note, { now: clock.now(), unlessHalted });
  };
  return {
    async move(seen, to, changes = {}) {
      if (!transitions[seen.state].includes(to)) return { outcome: 'barred', proposal: seen };
      const begins = seen.state === 'approved' && to === 'executing';
      return await change(seen, changed(seen, to, changes, seal), begins && !passesHalt(seen.kind));
    },
    async recordResult(seen, result, reason = seen.reason) {
      if (seen.state !== 'executed') return { outcome: 'barred', proposal: seen };
      return await change(seen, { ...seen, result, reason, token: 'kept' }, false);
    },
    async token(proposal, of = 'owner') {
      const sealed = await store.sealedToken(proposal.id, of);
      return sealed === undefined ? undefined : seal.open(sealed, sealContext(proposal, of));
    },
  };
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
