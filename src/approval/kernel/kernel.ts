import { failpoint } from '../../machine/failpoint.ts';
import type { TradingStanding } from '../../store/halts.ts';
import type { ProposalKey, Reason, StoredProposal } from '../../store/proposal-store.ts';
import { isSettledState, type ProposalRequest } from '../../trading/proposal.ts';
import { Refusal } from '../../trading/refusal.ts';
import { actingFor, haltedReason, passesHalt, revokedReason, withoutToken } from '../access.ts';
import { placedLate, recordExecuted, settleExecution } from '../carry-out.ts';
import type { News } from '../changes.ts';
import { KernelContext } from '../kernel-context.ts';
import type { KernelParts } from '../kernel-parts.ts';
import type { Proposer } from '../kind.ts';
import { ProposalSupervisor } from '../supervisor/supervisor.ts';
import { createProposing, type Proposed, type ProposingCaller, type ProposingRules } from './propose.ts';

export interface KernelOptions extends KernelParts, ProposingRules {}

/** How many of a person's latest are followed again when they watch. */
const MOST_RESUMED = 100;
/** How long the answer to a new proposal waits for the phone to ring. */
const FIRST_WAIT_MS = 5_000;
/** Between signs of life to who follows, milliseconds. */
const ALIVE_MS = 15_000;
/**
 * Between two looks at what became of the same unknown one, milliseconds, whoever asks: a look changes the proposal where it
 * has it carried out after all, each change ends the long polls of who watches it, and each of those asks again.
 */
const LOOKS_APART_MS = 1_000;

const withdrawnReason: Reason = { code: 'approval_cancelled', text: 'withdrawn before it was carried out' };

/** Those of a person that changed. */
export interface Changed {
  /** In the order of their changes, each as it is now; none as a sign of life. */
  readonly proposals: readonly StoredProposal[];
  /** Whoever follows after this one misses nothing. */
  readonly version: number;
}

/**
 * The kernel of approvals: asks, waits and carries out, whether or not whoever proposed is still there.
 */
export class ApprovalKernel {
  readonly #parts: KernelParts;
  readonly #closing = new AbortController();
  readonly #context: KernelContext;
  readonly #supervisor: ProposalSupervisor;
  readonly #takeIn: ReturnType<typeof createProposing>;
  /** Looks at unknown ones: under way, or over a moment ago. */
  readonly #looks = new Map<string, Promise<void>>();
  #supervised = Promise.resolve();

  constructor(options: KernelOptions) {
    this.#parts = options;
    this.#context = new KernelContext(options, this.#closing.signal);
    this.#supervisor = new ProposalSupervisor(this.#context);
    this.#takeIn = createProposing(options);
  }

  /** Takes up whatever an earlier process left open. */
  start(): void {
    this.#supervised = this.#supervisor.supervise();
  }

  /** Stops waiting and asking; what is being carried out is finished first. */
  async close(): Promise<void> {
    this.#closing.abort();
    await this.#supervised;
    await this.#supervisor.ended();
    await this.#parts.audit.flush().catch(() => {
      // It stays noted in the store.
    });
  }

  /**
   * Completes what is asked for, has its owner asked, and carries it out once they approve. `isNew` is false where the
   * same was proposed before: under the same key, or by the same client and still open.
   * @throws {Refusal} 409 `idempotency_key_conflict`, 403 `policy_denied`, 429 `too_many_open`, `too_many_asked`,
   *   `resting`, and what completing it throws
   */
  async propose(caller: ProposingCaller, request: ProposalRequest, key: string): Promise<Proposed> {
    this.#context.remember(caller);
    const proposed = await this.#takeIn(caller, request, key);
    const { proposal, isNew } = proposed;
    if (!isNew) {
      // Its first request may have been cut off right after the row was written.
      if (proposal.state === 'drafted') this.#supervisor.begin(proposal.id, 'drafted');
      return proposed;
    }
    failpoint('proposal.drafted');
    this.#context.announce({ outcome: 'moved', proposal });
    this.#supervisor.begin(proposal.id, 'drafted');
    const { id, version } = proposal;
    return { proposal: await this.#changed(id, version, FIRST_WAIT_MS, [this.#closing.signal]), isNew };
  }

  /** One's own, and what one has proposed for others; here and below. @throws {Refusal} 404 `not_found` */
  async find(sub: string, id: string): Promise<StoredProposal> {
    const found = await this.#parts.store.get(id);
    if (found !== undefined && (found.sub === sub || found.proposedBy === sub)) return found;
    throw new Refusal(404, 'not_found', 'there is no such proposal of yours', {
      hint: 'List them with "trade-agent approvals".',
    });
  }

  /** What a client proposed under a key, as long as it is kept. */
  async keyed(key: ProposalKey): Promise<StoredProposal | undefined> {
    return (await this.#parts.store.keyed(key))?.proposal;
  }

  /** One's own, newest first. */
  async list(
    sub: string,
    { state, limit }: { readonly state: 'open' | 'all'; readonly limit: number },
  ): Promise<StoredProposal[]> {
    return await this.#parts.store.list({ party: sub, state, limit });
  }

  /** The proposal once it has changed since a version, or after `ms`. */
  async awaitChange(id: string, version: number, ms: number, signal: AbortSignal): Promise<StoredProposal> {
    return await this.#changed(id, version, ms, [signal, this.#closing.signal]);
  }

  async #changed(
    id: string,
    version: number,
    ms: number,
    signals: readonly AbortSignal[],
  ): Promise<StoredProposal> {
    const { store, clock } = this.#parts;
    const until = clock.now() + ms;
    const news = this.#context.changes.listen({ proposal: id });
    try {
      for (;;) {
        news.forget();
        const proposal = await store.get(id);
        if (proposal === undefined) throw new Error('the store has lost a proposal');
        const left = until - clock.now();
        if (proposal.version !== version || left <= 0 || isOver(signals)) return proposal;
        await news.next(left, signals);
      }
    } finally {
      news.end();
    }
  }

  /** Those of a person that changed after a version, each time they do; none as a sign of life. Ends with the signal. */
  async *follow(sub: string, version: number | undefined, signal: AbortSignal): AsyncGenerator<Changed> {
    const { store } = this.#parts;
    const signals = [signal, this.#closing.signal];
    const news = this.#context.changes.listen({ sub });
    try {
      let seen = version ?? (await store.version());
      while (!isOver(signals)) {
        const changed = await store.changedSince(sub, seen);
        seen = changed.at(-1)?.version ?? seen;
        yield { proposals: changed, version: seen };
        news.forget();
        if ((await store.changedSince(sub, seen)).length === 0) await news.next(ALIVE_MS, signals);
      }
    } finally {
      news.end();
    }
  }

  /** Of changes to anybody's, for as long as the gateway is there. */
  news(): News {
    return this.#context.changes.listen('anybody');
  }

  /** A person watches: what is open of their latest is followed, where its changes are told. */
  async watched(asker: Proposer): Promise<void> {
    this.#context.remember(asker);
    const latest = await this.#parts.store.list({ party: asker.sub, state: 'all', limit: MOST_RESUMED });
    for (const { id, sub, state } of latest)
      if (state === 'executed' && sub === asker.sub) this.#supervisor.begin(id, 'resumed');
  }

  /** The identity provider calls back (CIBA Core §10.2). False for a call that is nobody's, as far as is known yet. */
  async called(authReqId: string, notificationToken: string): Promise<boolean> {
    return await this.#supervisor.called(authReqId, notificationToken);
  }

  /** @throws {Refusal} 404 `not_found`, 409 `proposal_executing`, `proposal_settled` */
  async withdraw(sub: string, id: string): Promise<StoredProposal> {
    const { proposal } = await this.#supervisor.cancel(await this.find(sub, id), withdrawnReason);
    const { state } = proposal;
    if (state === 'cancelled') return proposal;
    throw isSettledState(state)
      ? new Refusal(409, 'proposal_settled', `the proposal is ${state} already`, {
          hint: 'There is nothing left to withdraw.',
          members: { state },
        })
      : new Refusal(409, 'proposal_executing', 'the proposal is being carried out', {
          hint: 'Look what became of it; an order can be cancelled.',
          members: { state },
        });
  }

  /**
   * What a client, or anybody, was allowed to do for a person has ended: what it has open is withdrawn. Nobody is to be asked,
   * nor anything carried out, in their name.
   */
  async revoked({ sub, clientId }: { readonly sub: string; readonly clientId?: string }): Promise<void> {
    const { store, audit } = this.#parts;
    for (const proposal of await store.list({ party: sub, state: 'open' })) {
      const { client, proposedBy } = proposal;
      // A client's end ends what came by it: of who proposed, not of who is asked.
      const isBy = (proposedBy ?? proposal.sub) === sub && client === clientId;
      if (clientId === undefined || isBy) await this.#supervisor.cancel(proposal, revokedReason);
    }
    audit.flushSoon();
  }

  /**
   * Stops all trading of a person, and withdraws what is open. The halt is committed first: whatever is drafted or begun
   * looks at it in its own transaction, so that from then on the list of what is open can only get shorter.
   * @returns since when, milliseconds since the epoch
   */
  async halt({ sub, clientId }: Pick<Proposer, 'sub' | 'clientId'>): Promise<number> {
    const { store, halts, clock, audit } = this.#parts;
    const since = await halts.halt(sub, clientId, clock.now());
    for (const proposal of await store.list({ sub, state: 'open' })) {
      if (!passesHalt(proposal.kind)) await this.#supervisor.cancel(proposal, haltedReason);
    }
    audit.flushSoon();
    return since;
  }

  /**
   * From now on a person's positions may only be made smaller: purchases are refused, when they are proposed and when they
   * would be carried out. A halt stays one.
   */
  async reduce({ sub, clientId }: Pick<Proposer, 'sub' | 'clientId'>): Promise<TradingStanding> {
    const { halts, clock, audit } = this.#parts;
    const standing = await halts.reduce(sub, clientId, undefined, clock.now());
    audit.flushSoon();
    return standing;
  }

  /** How far a person's trading goes. */
  async trading(sub: string): Promise<TradingStanding> {
    return await this.#parts.halts.standing(sub, this.#parts.clock.now());
  }

  /** A line of the record was noted elsewhere: it reaches the file soon. */
  noted(): void {
    this.#parts.audit.flushSoon();
  }

  /**
   * Asks what became of one of unknown outcome, or of an open order, with the token of whoever looks. After a look at an
   * unknown one its finding stays for a second, whoever asks.
   */
  async settle(proposal: StoredProposal, looking: Proposer): Promise<StoredProposal> {
    const asker = actingFor(looking, proposal.sub);
    this.#context.remember(looking);
    const { id, state } = proposal;
    if (state === 'executed' && !this.#supervisor.isSupervised(id)) {
      // The broker may be out of reach: then it is as it was last seen.
      await this.#context.lookAtResult(id, asker).catch(ignoreRefusal);
    } else if (state === 'unknown') await this.#lookOnce(proposal, asker);
    else return proposal;
    return (await this.#parts.store.get(id)) ?? proposal;
  }

  #lookOnce(proposal: StoredProposal, asker: Proposer): Promise<void> {
    const { id } = proposal;
    const known = this.#looks.get(id);
    if (known !== undefined) return known;
    const look = this.#lookAtUnknown(proposal, asker);
    this.#looks.set(id, look);
    const forget = () => this.#looks.delete(id);
    const rest = () => this.#parts.clock.sleep(LOOKS_APART_MS, this.#closing.signal);
    look.then(rest, rest).then(forget, forget);
    return look;
  }

  async #lookAtUnknown(proposal: StoredProposal, asker: Proposer): Promise<void> {
    const { id, kind, subject } = proposal;
    const execution = await this.#parts.kindOf(kind).settle(subject, asker).catch(ignoreRefusal);
    const isKnown = execution?.outcome === 'executed' || execution?.outcome === 'refused';
    if (isKnown || (execution?.outcome === 'unknown' && execution.final === true)) {
      await settleExecution(this.#context, proposal, execution, 0);
      return;
    }
    // Never handed over, and nobody is working on it: now it is carried out, or its time is over. One that is still unknown is
    // asked about until it is known: a look now and then does not measure how long an order has been absent.
    this.#supervisor.begin(id, 'found');
  }

  /** Has those of unknown outcome that nobody supervises asked about again. */
  async pursueUnknown(): Promise<void> {
    for (const id of await this.#parts.store.openIds('unknown')) this.#supervisor.begin(id, 'found');
  }

  /**
   * An order of a person's was found at the broker, and the journal has it as placed: the outcome of the proposal that it
   * belongs to is asked for again, and proof corrects what was reported.
   * @returns `unexplained` where no proposal accounts for it
   */
  async orderFound(sub: string, subjectId: string): Promise<'accounted' | 'unexplained'> {
    const { store, kindOf, moves } = this.#parts;
    const proposal = await store.ofSubject(sub, subjectId);
    if (proposal === undefined) return 'unexplained';
    const { id, kind, state, subject, result } = proposal;
    if (state === 'unknown' || state === 'executing') {
      this.#supervisor.begin(id, 'found');
      return 'accounted';
    }
    if (state !== 'expired' && state !== 'executed') return 'unexplained';
    const { isCorrected } = kindOf(kind);
    if (state === 'executed' && isCorrected === undefined) return 'accounted';
    const found = await kindOf(kind).settle(subject, this.askerOf(sub) ?? withoutToken(sub));
    if (found?.outcome !== 'executed') return 'accounted';
    if (state === 'expired') {
      await recordExecuted(this.#context, proposal, found.result);
      return 'accounted';
    }
    // Of a batch some lines may have been placed before: what its result says of the others is corrected.
    if (isCorrected?.(result, found.result) !== true) return 'accounted';
    const late = await placedLate(this.#parts, proposal);
    this.#context.announce(await moves.recordResult(proposal, found.result, late));
    return 'accounted';
  }

  /** With whose token a person's accounts may be asked about; undefined where none is known. */
  askerOf(sub: string): Proposer | undefined {
    return this.#context.askerOf(sub);
  }
}

function isOver(signals: readonly AbortSignal[]): boolean {
  return signals.some(({ aborted }) => aborted);
}

function ignoreRefusal(error: unknown): undefined {
  if (!(error instanceof Refusal)) throw error;
}
