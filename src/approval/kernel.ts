import { failpoint } from '../machine/failpoint.ts';
import { isSettledState, type ProposalRequest } from '../trading/proposal.ts';
import { Refusal } from '../trading/refusal.ts';
import { settleExecution } from './carry-out.ts';
import { createChanges } from './changes.ts';
import { haltedReason, passesHalt } from './halts.ts';
import type { KernelParts } from './kernel-parts.ts';
import type { Proposer } from './kind.ts';
import { createProposing, type Proposed, type ProposingCaller, type ProposingRules } from './propose.ts';
import type { StoredProposal } from './stored-proposal.ts';
import { createAttendants } from './waiting/attendants.ts';

export interface KernelOptions extends KernelParts, ProposingRules {
  /** Told of what went wrong inside; never holds a token. */
  readonly onError: (message: string) => void;
}

/** Asks, waits and carries out, whether or not whoever proposed is still there. */
export interface ApprovalKernel {
  /**
   * Completes what is asked for, has its owner asked, and carries it out once they approve. `isNew` is false where the
   * same was proposed before: under the same key, or by the same client and still open.
   * @throws {Refusal} 409 `idempotency_key_conflict`, 403 `policy_denied`, 429 `too_many_open`, `too_many_asked`,
   *   `resting`, and what completing it throws
   */
  propose(caller: ProposingCaller, request: ProposalRequest, key: string): Promise<Proposed>;
  /** One's own. @throws {Refusal} 404 `not_found` */
  find(sub: string, id: string): StoredProposal;
  /** One's own, newest first. */
  list(sub: string, query: { readonly state: 'open' | 'all'; readonly limit: number }): StoredProposal[];
  /** How it stands once it has changed since a version, or after `ms`. */
  awaitChange(id: string, version: number, ms: number, signal: AbortSignal): Promise<StoredProposal>;
  /** Those of a person that changed after a version, each time they do; none as a sign of life. Ends with the signal. */
  follow(sub: string, version: number | undefined, signal: AbortSignal): AsyncGenerator<StoredProposal[]>;
  /** @throws {Refusal} 404 `not_found`, 409 `proposal_executing`, `proposal_settled` */
  withdraw(sub: string, id: string): StoredProposal;
  /** The identity provider calls back (CIBA Core §10.2). False for a call that is nobody's, as far as is known yet. */
  called(authReqId: string, notificationToken: string): boolean;
  /** Stops all trading of a person, and withdraws what is open. @returns since when, milliseconds since the epoch */
  halt(caller: Pick<Proposer, 'sub' | 'clientId'>): number;
  haltedAt(sub: string): number | undefined;
  /** Asks what became of one of unknown outcome, or of an open order, with the token of whoever looks. */
  settle(proposal: StoredProposal, asker: Proposer): Promise<StoredProposal>;
  /** Takes up whatever an earlier process left open. */
  start(): void;
  /** Stops waiting and asking; what is being carried out is finished first. */
  close(): Promise<void>;
}

/** How long the answer to a new proposal waits for the phone to ring. */
const FIRST_WAIT_MS = 5_000;
/** Between signs of life to who follows. */
const ALIVE_MS = 15_000;

/**
 * The kernel of approvals.
 * @example
 * const kernel = createApprovalKernel({ store, asking, kindOf, … });
 * kernel.start();
 * const { proposal } = await kernel.propose(caller, { kind: 'order', order }, key);
 */
export function createApprovalKernel(options: KernelOptions): ApprovalKernel {
  const { store, halts, audit, clock, kindOf } = options;
  const closing = new AbortController();
  const changes = createChanges(clock);
  const attendants = createAttendants({ ...options, changes, signal: closing.signal });
  const { moved } = attendants;
  const takeIn = createProposing(options);

  const kernel: ApprovalKernel = {
    async propose(caller, request, key) {
      attendants.seen(caller);
      const proposed = await takeIn(caller, request, key);
      const { proposal, isNew } = proposed;
      if (!isNew) {
        // Its first request may have been cut off right after the row was written.
        if (proposal.state === 'drafted') attendants.begin(proposal.id, true);
        return proposed;
      }
      failpoint('proposal.drafted');
      moved({ moved: true, proposal });
      attendants.begin(proposal.id, true);
      const asked = await kernel.awaitChange(proposal.id, proposal.version, FIRST_WAIT_MS, closing.signal);
      return { proposal: asked, isNew };
    },

    find(sub, id) {
      const found = store.get(id);
      if (found?.sub === sub) return found;
      throw new Refusal(404, 'not_found', 'there is no such proposal of yours', {
        hint: 'List them with "trade-agent approvals".',
      });
    },

    list: (sub, { state, limit }) => store.list({ sub, state, limit }),

    async awaitChange(id, version, ms, signal) {
      const until = clock.now() + ms;
      const signals = [signal, closing.signal];
      for (;;) {
        const proposal = store.get(id);
        if (proposal === undefined) throw new Error('the store has lost a proposal');
        const left = until - clock.now();
        if (proposal.version !== version || left <= 0 || isOver(signals)) return proposal;
        await changes.next({ proposal: id }, left, signals);
      }
    },

    async *follow(sub, version, signal) {
      const signals = [signal, closing.signal];
      let seen = version ?? store.version();
      while (!isOver(signals)) {
        const changed = store.changedSince(sub, seen);
        seen = changed.at(-1)?.version ?? seen;
        yield changed;
        if (store.changedSince(sub, seen).length === 0) await changes.next({ sub }, ALIVE_MS, signals);
      }
    },

    withdraw(sub, id) {
      const proposal = kernel.find(sub, id);
      if (proposal.state === 'cancelled') return proposal;
      const reason = { code: 'approval_cancelled', text: 'withdrawn before it was carried out' };
      const after = store.move(id, 'cancelled', { reason });
      if (after.moved) {
        moved(after);
        attendants.wake(id);
        return after.proposal;
      }
      const { state } = after.proposal;
      throw isSettledState(state)
        ? new Refusal(409, 'proposal_settled', `the proposal is ${state} already`, {
            hint: 'There is nothing left to withdraw.',
            members: { state },
          })
        : new Refusal(409, 'proposal_executing', 'the proposal is being carried out', {
            hint: 'Look what became of it; an order can be cancelled.',
            members: { state },
          });
    },

    called: attendants.called,

    halt({ sub, clientId }) {
      const now = clock.now();
      halts.halt(sub, clientId, now);
      for (const { id, kind } of store.list({ sub, state: 'open' })) {
        if (passesHalt(kind)) continue;
        const after = store.move(id, 'cancelled', { reason: haltedReason });
        if (!after.moved) continue;
        moved(after);
        attendants.wake(id);
      }
      audit.flushSoon();
      return halts.haltedAt(sub) ?? now;
    },

    haltedAt: (sub) => halts.haltedAt(sub),

    async settle(proposal, asker) {
      attendants.seen(asker);
      const { id, state, kind } = proposal;
      if (state === 'executed' && !attendants.isAttended(id)) {
        // The broker may be out of reach: then it is as it was last seen.
        await attendants.lookAtResult(id, asker).catch(refused);
      }
      if (state === 'unknown') {
        const execution = await kindOf(kind).settle(proposal.subject, asker).catch(refused);
        const isKnown = execution?.outcome === 'executed' || execution?.outcome === 'refused';
        if (isKnown || (execution?.outcome === 'unknown' && execution.final === true)) {
          settleExecution({ store, moved }, proposal, execution, 0);
        }
        // Never handed over, and nobody is at it any more: now it is carried out, or its time is over.
        if (execution === undefined) attendants.begin(id, false);
      }
      return store.get(id) ?? proposal;
    },

    start() {
      for (const id of store.openIds()) attendants.begin(id, false);
      attendants.tellUntold();
      audit.flushSoon();
    },

    async close() {
      closing.abort();
      await attendants.ended();
      try {
        audit.flush();
      } catch {
        // It stays noted in the database.
      }
    },
  };
  return kernel;
}

function isOver(signals: readonly AbortSignal[]): boolean {
  return signals.some(({ aborted }) => aborted);
}

function refused(error: unknown): undefined {
  if (!(error instanceof Refusal)) throw error;
}
