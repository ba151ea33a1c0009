import { HEARTBEAT_TIMEOUT_MS, type OtherProcesses, type ProcessNotification } from '../../store/other-processes.ts';
import type { ProposalReason, StoredProposal } from '../../store/proposal-store.ts';
import type { KernelContext } from '../kernel-context.ts';
import type { Transition } from '../transitions.ts';
import { ProposalRun } from './proposal-run.ts';
import { ProviderPings } from './provider-pings.ts';

/**
 * Interval between two adoptions of other gateways' proposals, in milliseconds. Each adoption reads a row a few times,
 * and a dead gateway may have had thousands of proposals. Without the interval, adoptions would block other database
 * requests for so long that they time out.
 */
const ADOPTION_INTERVAL_MS = 2;
/** How often this gateway renews its lease if it shares the database. The lease survives two lost renewals. */
const LEASE_RENEWAL_INTERVAL_MS = HEARTBEAT_TIMEOUT_MS / 3;
/** Delays before retrying to read the open proposals after a failure, in milliseconds; the last one repeats. */
const START_RETRY_DELAYS_MS = [1_000, 5_000, 15_000] as const;

/**
 * Supervises the open proposals of this process, with at most one run for each: `begin` checks for a run and adds one
 * without an `await` in between. If several processes share a database, `OtherProcesses.take` assigns each proposal to
 * one of them. Otherwise, the lock on the folder ensures that there is only one gateway.
 */
export class ProposalSupervisor {
  readonly #context: KernelContext;
  readonly #calls: ProviderPings;
  readonly #runs = new Map<string, ProposalRun>();
  /** IDs of proposals that were taken over from other gateways and whose runs have not begun. */
  readonly #adopted = new Set<string>();
  #isAdopting = false;
  /** Ends the current round of polls for pings that may have been missed. */
  #missed = new AbortController();

  constructor(context: KernelContext) {
    this.#context = context;
    this.#calls = new ProviderPings(context.parts);
    // One listener for all runs, because a long-lived signal keeps a reference to each of its listeners.
    context.signal.addEventListener('abort', () => this.#endRuns());
  }

  /**
   * Supervises the open proposals until the gateway closes: all of them, including those from before a restart, or this
   * gateway's share if several gateways use the same database.
   */
  async supervise(): Promise<void> {
    const { others } = this.#context.parts;
    await (others === undefined ? this.#beginOpen() : this.#shareWith(others));
  }

  /** Begins the runs of all open proposals. Retries if they can't be read, so that none is left unsupervised. */
  async #beginOpen(): Promise<void> {
    const { parts, signal } = this.#context;
    const { store, audit, clock } = parts;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        for (const id of await store.openIds()) this.begin(id, 'found');
        await this.#context.notifyUnnotified();
        audit.flushSoon();
        return;
      } catch (error) {
        this.#context.fail(error);
        const wait = START_RETRY_DELAYS_MS[Math.min(failures, START_RETRY_DELAYS_MS.length - 1)] ?? 0;
        await clock.sleep(wait, signal).catch(() => undefined);
      }
    }
  }

  /**
   * Adopts proposals that no other gateway supervises, and passes the other gateways' changes on to local listeners.
   */
  async #shareWith(others: OtherProcesses): Promise<void> {
    const { parts, signal } = this.#context;
    const { audit, clock } = parts;
    const stopHearing = others.subscribe((news) => {
      this.#hear(news).catch((error) => this.#context.fail(error));
    });
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      try {
        const { taken, lapsed, died } = await others.renew();
        // This process stalled, and others took over some of its proposals: stop all runs here and start again from the
        // rows.
        if (lapsed) await this.#stop();
        this.adopt(taken);
        if (isFirst || died) await this.#context.notifyUnnotified();
        if (isFirst) audit.flushSoon();
      } catch (error) {
        this.#context.fail(error);
      }
      await clock.sleep(LEASE_RENEWAL_INTERVAL_MS, signal).catch(() => undefined);
    }
    stopHearing();
    await this.ended();
    await others.leave().catch((error) => this.#context.fail(error));
  }

  async #hear(news: ProcessNotification): Promise<void> {
    const { parts, changes } = this.#context;
    if (news === 'missed') {
      changes.notifyAll();
      await this.#askForMissedCalls();
    } else if ('called' in news) this.#wake(news.called, false);
    else if ('moved' in news) {
      const id = news.moved;
      if (!changes.isAwaited(id) && !this.isSupervised(id)) return;
      const proposal = await parts.store.get(id);
      if (proposal === undefined) return;
      changes.notify(proposal);
      // Another gateway has withdrawn a proposal that this gateway supervises.
      if (proposal.state === 'cancelled') this.#wake(id, true);
    }
  }

  /** Makes each waiting run poll in turn, because this process may have missed pings. */
  async #askForMissedCalls(): Promise<void> {
    this.#missed.abort();
    this.#missed = new AbortController();
    const { signal } = this.#missed;
    for (const id of [...this.#runs.keys()]) {
      await this.#context.parts.clock.sleep(this.#calls.turns.take(), signal).catch(() => undefined);
      if (signal.aborted) return;
      this.#wake(id, false);
    }
  }

  /**
   * Starts to supervise a proposal in any state.
   * @param why `drafted`: this process has just drafted the proposal. `taken`: this process has taken the proposal over
   * from another gateway, and the row says so. `found`: the proposal may have no supervisor. `resumed`: the run only
   * follows the result of an executed order, if the broker streams order changes.
   */
  begin(id: string, why: 'drafted' | 'taken' | 'found' | 'resumed'): void {
    if (this.#runs.has(id) || this.#context.signal.aborted) return;
    const run = new ProposalRun(id, this.#context, this.#calls, why);
    this.#runs.set(id, run);
    run.ended.then(() => this.#runs.delete(id));
  }

  /** Supervises proposals that were taken over from other gateways, one after another. */
  adopt(ids: readonly string[]): void {
    for (const id of ids) this.#adopted.add(id);
    if (!this.#isAdopting) void this.#beginAdopted();
  }

  async #beginAdopted(): Promise<void> {
    this.#isAdopting = true;
    for (const id of this.#adopted) {
      this.#beginNow(id);
      await this.#context.parts.clock.sleep(ADOPTION_INTERVAL_MS);
    }
    this.#isAdopting = false;
  }

  /** Begins an adopted proposal's run, unless it has begun already. */
  #beginNow(id: string): void {
    if (this.#adopted.delete(id)) this.begin(id, 'taken');
  }

  /**
   * Whether this process supervises a proposal. Runs that only follow a result don't count, because each request for
   * the proposal then checks the result itself.
   */
  isSupervised(id: string): boolean {
    return this.#runs.get(id)?.isResumed === false;
  }

  /** Handles the provider's ping (CIBA Core §10.2). Returns false if it matches no stored approval request. */
  async handlePing(authReqId: string, notificationToken: string): Promise<boolean> {
    const proposal = await this.#calls.findProposal(authReqId, notificationToken);
    if (proposal === undefined) return false;
    const { id } = proposal;
    if (this.#runs.has(id) || this.#adopted.has(id)) this.#wake(id, false);
    else this.#context.parts.others?.notify({ called: id });
    return true;
  }

  /** Cancels a proposal in any state that still allows it. */
  async cancel(proposal: StoredProposal, reason: ProposalReason): Promise<Transition> {
    for (let seen = proposal; ; ) {
      const after = await this.#context.parts.moves.move(seen, 'cancelled', { reason });
      if (after.outcome === 'stale') {
        seen = after.proposal;
        continue;
      }
      this.#context.announce(after);
      if (after.outcome === 'moved') this.#wake(proposal.id, true);
      return after;
    }
  }

  /** Wakes a proposal's run because of a ping or a withdrawal. @param isOver whether the proposal was withdrawn */
  #wake(id: string, isOver: boolean): void {
    this.#beginNow(id);
    this.#runs.get(id)?.wake(isOver);
  }

  /** Resolves when all runs and notifications have ended. Call it after the signal has aborted. */
  async ended(): Promise<void> {
    await this.#runsEnded();
    await this.#context.ended();
  }

  /** Stops all runs, because other processes may have taken over their proposals. Resolves when the runs have ended. */
  async #stop(): Promise<void> {
    this.#endRuns();
    await this.#runsEnded();
  }

  #endRuns(): void {
    this.#missed.abort();
    this.#adopted.clear();
    for (const run of this.#runs.values()) run.end();
  }

  async #runsEnded(): Promise<void> {
    await Promise.allSettled([...this.#runs.values()].map(({ ended }) => ended));
  }
}
