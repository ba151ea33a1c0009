import { failpoint } from '../../machine/failpoint.ts';
import type { SequencedTree } from '../../store/audit.ts';
import type { TradingStateSnapshot } from '../../store/halts.ts';
import type { ProposalKey, ProposalReason, StoredProposal } from '../../store/proposal-store.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import { isSettledState, type ProposalRequest } from '../../trading/proposal.ts';
import { haltedReason, isAllowedDuringHalt, proposerForOwner, proposerWithoutToken, revokedReason } from '../access.ts';
import { buildLatePlacementReason, recordExecuted, recordExecutionOutcome } from '../carry-out.ts';
import type { ChangeListener } from '../change-notifier.ts';
import { KernelContext } from '../kernel-context.ts';
import type { KernelDeps } from '../kernel-deps.ts';
import type { Proposer } from '../kind.ts';
import { ProposalSupervisor } from '../supervisor/supervisor.ts';
import {
  createProposalIntake,
  type ProposalCaller,
  type ProposalIntakeOptions,
  type ProposeResult,
} from './propose.ts';

export interface KernelOptions extends KernelDeps, ProposalIntakeOptions {}

/** Maximum number of a person's latest proposals whose results are checked when the person starts to watch. */
const MAX_RESUMED_RESULTS = 100;
/** How long the response to a new proposal waits for the approval request to be sent, in milliseconds. */
const RING_WAIT_MS = 5_000;
/** Interval of keep-alives to a client that follows proposals, in milliseconds. */
const KEEP_ALIVE_INTERVAL_MS = 15_000;
/**
 * Minimum interval between two lookups of the same unknown outcome, in milliseconds. A lookup may change the proposal,
 * which ends the long polls of everyone who watches it. Each of these people would then look it up again.
 */
const LOOKUP_INTERVAL_MS = 1_000;

const withdrawnReason: ProposalReason = { code: 'approval_cancelled', text: 'withdrawn before it was carried out' };

export interface ChangedProposals {
  /** The changed proposals in their current state, ordered by their last change. Empty in a keep-alive. */
  readonly proposals: readonly StoredProposal[];
  /** The version to pass when following again, so that no change is missed. */
  readonly version: number;
}

/**
 * The approval kernel: asks for approvals, waits for the decisions and executes approved proposals, whether or not the
 * proposer is still connected.
 */
export class ApprovalKernel {
  readonly #parts: KernelDeps;
  readonly #closing = new AbortController();
  readonly #context: KernelContext;
  readonly #supervisor: ProposalSupervisor;
  readonly #takeIn: ReturnType<typeof createProposalIntake>;
  /** Lookups of unknown outcomes, by proposal id: those in progress, and those that ended less than a second ago. */
  readonly #looks = new Map<string, Promise<void>>();
  #supervised = Promise.resolve();

  constructor(options: KernelOptions) {
    this.#parts = options;
    this.#context = new KernelContext(options, this.#closing.signal);
    this.#supervisor = new ProposalSupervisor(this.#context);
    this.#takeIn = createProposalIntake(options);
  }

  /** Starts to supervise proposals, including those that an earlier process left open. */
  start(): void {
    this.#supervised = this.#supervisor.supervise();
  }

  /** Finishes executions in progress, but stops asking for approvals and waiting for decisions. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#supervised;
    await this.#supervisor.ended();
    await this.#parts.audit.sequence().catch(() => {
      // The remaining lines are sequenced after the next start.
    });
  }

  /**
   * Drafts a proposal from a request, asks the owner for approval, and executes the proposal when it is approved.
   * `isNew` is false if a proposal with the same idempotency key, or an open proposal of the same client with the same
   * content, already existed.
   * @throws {HttpProblem} 409 `idempotency_key_conflict`, 403 `policy_denied`, 429 `too_many_open`, `too_many_asked`,
   *   `resting`, and any error from `Kind.complete`
   */
  async propose(caller: ProposalCaller, request: ProposalRequest, key: string): Promise<ProposeResult> {
    this.#context.remember(caller);
    const proposed = await this.#takeIn(caller, request, key);
    const { proposal, isNew } = proposed;
    if (!isNew) {
      // The first request may have been cut off after the row was written, and before a run began.
      if (proposal.state === 'drafted') this.#supervisor.begin(proposal.id, 'found');
      return proposed;
    }
    failpoint('proposal.drafted');
    this.#context.announce({ outcome: 'moved', proposal });
    this.#supervisor.begin(proposal.id, 'found');
    const { id, version } = proposal;
    return { proposal: await this.#changed(id, version, RING_WAIT_MS, [this.#closing.signal]), isNew };
  }

  /** Returns a proposal that the person owns or made for someone else. @throws {HttpProblem} 404 `not_found` */
  async find(sub: string, id: string): Promise<StoredProposal> {
    const found = await this.#parts.store.get(id);
    if (found !== undefined && (found.sub === sub || found.proposedBy === sub)) return found;
    throw new HttpProblem(404, 'not_found', 'you have no such proposal', {
      hint: 'List your proposals with "trade-agent approvals".',
    });
  }

  /** Returns the proposal that a client made with an idempotency key; undefined after the key has been dropped. */
  async findByKey(key: ProposalKey): Promise<StoredProposal | undefined> {
    return (await this.#parts.store.keyed(key))?.proposal;
  }

  /** Returns the person's proposals, newest first. */
  async list(
    sub: string,
    { state, limit }: { readonly state: 'open' | 'all'; readonly limit: number },
  ): Promise<StoredProposal[]> {
    return await this.#parts.store.list({ party: sub, state, limit });
  }

  /** Returns the proposal when its version differs from `version`, or after `ms` milliseconds. */
  async awaitChange(id: string, version: number, ms: number, signal: AbortSignal): Promise<StoredProposal> {
    return await this.#changed(id, version, ms, [signal, this.#closing.signal]);
  }

  async #changed(id: string, version: number, ms: number, signals: readonly AbortSignal[]): Promise<StoredProposal> {
    const { store, clock } = this.#parts;
    const until = clock.now() + ms;
    const news = this.#context.changes.listen({ proposal: id });
    try {
      for (;;) {
        news.forget();
        const proposal = await store.get(id);
        if (proposal === undefined) throw new Error('a proposal is missing from the store');
        const left = until - clock.now();
        if (proposal.version !== version || left <= 0 || isAnyAborted(signals)) return proposal;
        await news.next(left, signals);
      }
    } finally {
      news.end();
    }
  }

  /** Yields proposals that changed after a version, and empty lists as keep-alives, until the signal aborts. */
  async *follow(sub: string, version: number | undefined, signal: AbortSignal): AsyncGenerator<ChangedProposals> {
    const { store } = this.#parts;
    const signals = [signal, this.#closing.signal];
    const news = this.#context.changes.listen({ sub });
    try {
      let seen = version ?? (await store.version(sub));
      while (!isAnyAborted(signals)) {
        const changed = await store.changedSince(sub, seen);
        seen = changed.at(-1)?.version ?? seen;
        yield { proposals: changed, version: seen };
        news.forget();
        if ((await store.changedSince(sub, seen)).length === 0) await news.next(KEEP_ALIVE_INTERVAL_MS, signals);
      }
    } finally {
      news.end();
    }
  }

  /** Returns a listener that is notified of each change to any proposal. */
  news(): ChangeListener {
    return this.#context.changes.listen('anybody');
  }

  /**
   * Called when a person starts to watch proposals. If the broker streams changes, resumes following the results of the
   * person's latest proposals, except those that can no longer change.
   */
  async watched(session: Proposer): Promise<void> {
    this.#context.remember(session);
    const latest = await this.#parts.store.list({
      party: session.sub,
      state: 'all',
      limit: MAX_RESUMED_RESULTS,
    });
    for (const { id, sub, state } of latest)
      if (state === 'executed' && sub === session.sub) this.#supervisor.follow(id, true);
  }

  /** Handles the provider's ping (CIBA Core §10.2). Returns false if it matches no stored approval request. */
  async handlePing(authReqId: string, notificationToken: string): Promise<boolean> {
    return await this.#supervisor.handlePing(authReqId, notificationToken);
  }

  /** Withdraws a proposal. @throws {HttpProblem} 404 `not_found`, 409 `proposal_executing`, `proposal_settled` */
  async withdraw(sub: string, id: string): Promise<StoredProposal> {
    const { proposal } = await this.#supervisor.cancel(await this.find(sub, id), withdrawnReason);
    const { state } = proposal;
    if (state === 'cancelled') return proposal;
    throw isSettledState(state)
      ? new HttpProblem(409, 'proposal_settled', `the proposal is already ${state}`, {
          hint: 'There is nothing left to withdraw.',
          members: { state },
        })
      : new HttpProblem(409, 'proposal_executing', 'the proposal is being carried out', {
          hint: 'Check its outcome. If it placed an order, you can cancel the order.',
          members: { state },
        });
  }

  /**
   * Withdraws the open proposals of a client whose authorization has ended or, if `clientId` is omitted, all of the
   * person's open proposals. If they stayed open, an approval could still place an order. Wakes the person's
   * streams in all processes, because each stream checks its token before it continues.
   */
  async revoked({ sub, clientId }: { readonly sub: string; readonly clientId?: string }): Promise<void> {
    const { store, audit, others } = this.#parts;
    this.#context.changes.notifyPerson(sub);
    others?.notify({ revoked: sub });
    for (const proposal of await store.list({ party: sub, state: 'open' })) {
      const { client, proposedBy } = proposal;
      // A client's grant belongs to the person who used the client, so the proposer is compared, not the owner who is
      // asked.
      const isBy = (proposedBy ?? proposal.sub) === sub && client === clientId;
      if (clientId === undefined || isBy) await this.#supervisor.cancel(proposal, revokedReason);
    }
    audit.sequenceSoon();
  }

  /**
   * Halts a person's trading and withdraws the open proposals. The halt is committed first. Every draft and every
   * execution checks for the halt in its own transaction, so no new proposal escapes the withdrawal.
   * @returns when the halt began, in milliseconds since the epoch
   */
  async halt({ sub, clientId }: Pick<Proposer, 'sub' | 'clientId'>): Promise<number> {
    const { store, halts, clock, audit } = this.#parts;
    const since = await halts.halt(sub, clientId, clock.now());
    for (const proposal of await store.list({ sub, state: 'open' })) {
      if (!isAllowedDuringHalt(proposal.kind)) await this.#supervisor.cancel(proposal, haltedReason);
    }
    audit.sequenceSoon();
    return since;
  }

  /**
   * Restricts a person to reducing positions: purchases are refused when they are proposed, and again before they are
   * executed. If trading is halted, it stays halted.
   */
  async reduce({ sub, clientId }: Pick<Proposer, 'sub' | 'clientId'>): Promise<TradingStateSnapshot> {
    const { halts, clock, audit } = this.#parts;
    const halt = await halts.restrict(sub, clientId, undefined, clock.now());
    audit.sequenceSoon();
    return halt;
  }

  /** Adds all committed lines of the audit log to its tree. */
  async sequence(): Promise<SequencedTree> {
    return await this.#parts.audit.sequence();
  }

  async trading(sub: string): Promise<TradingStateSnapshot> {
    return await this.#parts.halts.current(sub, this.#parts.clock.now());
  }

  /** Schedules the sequencing of the audit log. Called by other components that have stored a line. */
  noted(): void {
    this.#parts.audit.sequenceSoon();
  }

  /**
   * Looks up an unknown outcome, or the result of an open order, with the caller's token. An unknown outcome is looked
   * up at most once a second, even if several callers ask.
   */
  async settle(proposal: StoredProposal, looking: Proposer): Promise<StoredProposal> {
    const session = proposerForOwner(looking, proposal.sub);
    this.#context.remember(looking);
    const { id, state } = proposal;
    if (state === 'executed' && !this.#supervisor.isSupervised(id)) {
      // If the broker is unreachable, the last known result remains.
      await this.#context.checkResult(id, session).catch(ignoreRefusal);
    } else if (state === 'unknown') await this.#lookOnce(proposal, session);
    else return proposal;
    return (await this.#parts.store.get(id)) ?? proposal;
  }

  #lookOnce(proposal: StoredProposal, session: Proposer): Promise<void> {
    const { id } = proposal;
    const known = this.#looks.get(id);
    if (known !== undefined) return known;
    const look = this.#lookAtUnknown(proposal, session);
    this.#looks.set(id, look);
    const forget = () => this.#looks.delete(id);
    const rest = () => this.#parts.clock.sleep(LOOKUP_INTERVAL_MS, this.#closing.signal);
    look.then(rest, rest).then(forget, forget);
    return look;
  }

  async #lookAtUnknown(proposal: StoredProposal, session: Proposer): Promise<void> {
    const { id, kind, subject } = proposal;
    const execution = await this.#parts.getKind(kind).settle(subject, session).catch(ignoreRefusal);
    const isKnown = execution?.outcome === 'executed' || execution?.outcome === 'refused';
    if (isKnown || (execution?.outcome === 'unknown' && execution.final === true)) {
      await recordExecutionOutcome(this.#context, proposal, execution, 0);
      return;
    }
    // If the service never received the proposal, a run executes or expires the proposal now. If the outcome is still
    // unknown, a run looks it up at regular intervals, because occasional lookups can't show how long an order has been
    // missing.
    this.#supervisor.begin(id, 'found');
  }

  /** Begins a run for each proposal whose outcome is unknown, unless the proposal already has a run. */
  async resumeUnknown(): Promise<void> {
    for (const id of await this.#parts.store.unknownIds()) this.#supervisor.begin(id, 'found');
  }

  /**
   * Handles an order that was found at the broker and that the journal records as placed: looks up the outcome of its
   * proposal again, to correct what was reported.
   * @returns `unexplained` if the order belongs to no proposal
   */
  async reconcileOrder(sub: string, subjectId: string): Promise<'accounted' | 'unexplained'> {
    const { store, getKind, moves } = this.#parts;
    const proposal = await store.bySubject(sub, subjectId);
    if (proposal === undefined) return 'unexplained';
    const { id, kind, state, subject, result } = proposal;
    if (state === 'unknown' || state === 'executing') {
      this.#supervisor.begin(id, 'found');
      return 'accounted';
    }
    if (state !== 'expired' && state !== 'executed') return 'unexplained';
    const { isCorrected } = getKind(kind);
    if (state === 'executed' && isCorrected === undefined) return 'accounted';
    const found = await getKind(kind).settle(subject, this.latestSession(sub) ?? proposerWithoutToken(sub));
    if (found?.outcome !== 'executed') return 'accounted';
    if (state === 'expired') {
      await recordExecuted(this.#context, proposal, found.result);
      return 'accounted';
    }
    // Corrects the result only if an order of the batch was reported as not placed, but was placed after all.
    if (isCorrected?.(result, found.result) !== true) return 'accounted';
    const late = await buildLatePlacementReason(this.#parts, proposal);
    this.#context.announce(await moves.recordResult(proposal, found.result, late));
    return 'accounted';
  }

  latestSession(sub: string): Proposer | undefined {
    return this.#context.latestSession(sub);
  }
}

function isAnyAborted(signals: readonly AbortSignal[]): boolean {
  return signals.some(({ aborted }) => aborted);
}

function ignoreRefusal(error: unknown): undefined {
  if (!(error instanceof HttpProblem)) throw error;
}
