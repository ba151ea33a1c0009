import { LIVES_MS, type News, type OtherProcesses } from '../../store/other-processes.ts';
import type { Reason, StoredProposal } from '../../store/proposal-store.ts';
import type { KernelContext } from '../kernel-context.ts';
import type { Move } from '../moves.ts';
import { ProposalRun } from './proposal-run.ts';
import { ProviderCalls } from './provider-calls.ts';

/**
 * Between one adopted proposal and the next, milliseconds: each reads its row a few times, and a dead gateway may have had
 * thousands. All at once they would keep everybody's requests from the database for longer than those wait.
 */
const ADOPTED_APART_MS = 2;
/** How often this gateway says that it lives, where there are others: two may get lost. */
const RENEWED_EVERY_MS = LIVES_MS / 3;
/** Waits before what an earlier process left open is read again, where that failed, milliseconds; the last one repeats. */
const START_WAITS_MS = [1_000, 5_000, 15_000] as const;

/**
 * Supervises the open proposals of this process, each by one run at a time: `begin` looks and writes in one breath. Where
 * several processes have the same database, one of them has each proposal (`OtherProcesses.take`); else the folder of the one
 * gateway is locked.
 */
export class ProposalSupervisor {
  readonly #context: KernelContext;
  readonly #calls: ProviderCalls;
  readonly #runs = new Map<string, ProposalRun>();
  /** Taken over from others, and not begun yet. */
  readonly #adopted = new Set<string>();
  #isAdopting = false;
  /** Aborts the round in which each asks for the calls that it missed. */
  #missed = new AbortController();

  constructor(context: KernelContext) {
    this.#context = context;
    this.#calls = new ProviderCalls(context.parts);
    // One listener for all: of each that waits by itself, a signal that lives as long as the gateway keeps a trace.
    context.signal.addEventListener('abort', () => this.#endRuns());
  }

  /**
   * Supervises what is open until the gateway closes: what an earlier process left, or this process's part of it beside the
   * other gateways over the same data.
   */
  async supervise(): Promise<void> {
    const { others } = this.#context.parts;
    await (others === undefined ? this.#beginOpen() : this.#shareWith(others));
  }

  /** Also where the open ones can't be read at first: an open proposal is not left alone. */
  async #beginOpen(): Promise<void> {
    const { parts, signal } = this.#context;
    const { store, audit, clock } = parts;
    for (let failures = 0; !signal.aborted; failures++) {
      try {
        for (const id of await store.openIds()) this.begin(id, 'found');
        await this.#context.tellUntold();
        audit.flushSoon();
        return;
      } catch (error) {
        this.#context.fail(error);
        const wait = START_WAITS_MS[Math.min(failures, START_WAITS_MS.length - 1)] ?? 0;
        await clock.sleep(wait, signal).catch(() => undefined);
      }
    }
  }

  /** Adopts what none of the other gateways supervises, and has those who wait here hear of what is done there. */
  async #shareWith(others: OtherProcesses): Promise<void> {
    const { parts, signal } = this.#context;
    const { audit, clock } = parts;
    const stopHearing = others.hear((news) => {
      this.#hear(news).catch((error) => this.#context.fail(error));
    });
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      try {
        const { taken, lapsed, died } = await others.renew();
        // It stood still, and others have taken some of what it had: whatever is under way here is begun again, from the rows.
        if (lapsed) await this.#stop();
        this.adopt(taken);
        if (isFirst || died) await this.#context.tellUntold();
        if (isFirst) audit.flushSoon();
      } catch (error) {
        this.#context.fail(error);
      }
      await clock.sleep(RENEWED_EVERY_MS, signal).catch(() => undefined);
    }
    stopHearing();
    await this.ended();
    await others.leave().catch((error) => this.#context.fail(error));
  }

  async #hear(news: News): Promise<void> {
    const { parts, changes } = this.#context;
    if (news === 'missed') {
      changes.tellAll();
      await this.#askForMissedCalls();
    } else if ('called' in news) this.#wake(news.called, false);
    else if ('moved' in news) {
      const id = news.moved;
      if (!changes.isAwaited(id) && !this.isSupervised(id)) return;
      const proposal = await parts.store.get(id);
      if (proposal === undefined) return;
      changes.tell(proposal);
      // Withdrawn there, supervised here.
      if (proposal.state === 'cancelled') this.#wake(id, true);
    }
  }

  /** Calls may have come that this process did not hear of: each that waits for one by now asks for itself, in its turn. */
  async #askForMissedCalls(): Promise<void> {
    this.#missed.abort();
    this.#missed = new AbortController();
    const { signal } = this.#missed;
    for (const id of [...this.#runs.keys()]) {
      await this.#context.parts.clock.sleep(this.#calls.restarted.take(), signal).catch(() => undefined);
      if (signal.aborted) return;
      this.#wake(id, false);
    }
  }

  /**
   * Has a proposal supervised from whatever state it is in.
   * @param why `drafted` by this process just now; `taken` over from another, in the rows too; `found` where nobody may have
   *   it; `resumed` to follow its result where its changes are told, though nobody here did so any more
   */
  begin(id: string, why: 'drafted' | 'taken' | 'found' | 'resumed'): void {
    if (this.#runs.has(id) || this.#context.signal.aborted) return;
    const run = new ProposalRun(id, this.#context, this.#calls, why);
    this.#runs.set(id, run);
    run.ended.then(() => this.#runs.delete(id));
  }

  /** Has what was taken over from others supervised, one after the other in this order, after those there are. */
  adopt(ids: readonly string[]): void {
    for (const id of ids) this.#adopted.add(id);
    if (!this.#isAdopting) void this.#beginAdopted();
  }

  async #beginAdopted(): Promise<void> {
    this.#isAdopting = true;
    for (const id of this.#adopted) {
      this.#beginNow(id);
      await this.#context.parts.clock.sleep(ADOPTED_APART_MS);
    }
    this.#isAdopting = false;
  }

  /** Begins one out of its turn, if it is among the adopted. */
  #beginNow(id: string): void {
    if (this.#adopted.delete(id)) this.begin(id, 'taken');
  }

  /** Whether it is supervised here. One whose result alone is followed is not: whoever looks at it asks for themselves. */
  isSupervised(id: string): boolean {
    return this.#runs.get(id)?.isResumed === false;
  }

  /** The provider calls back (CIBA Core §10.2). False for a call that is nobody's, as far as is known yet. */
  async called(authReqId: string, notificationToken: string): Promise<boolean> {
    const proposal = await this.#calls.proposalOf(authReqId, notificationToken);
    if (proposal === undefined) return false;
    const { id } = proposal;
    if (this.#runs.has(id) || this.#adopted.has(id)) this.#wake(id, false);
    else this.#context.parts.others?.tell({ called: id });
    return true;
  }

  /** Cancels it from whatever state it is in, unless it is too far on. */
  async cancel(proposal: StoredProposal, reason: Reason): Promise<Move> {
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

  /** There is news of a proposal. @param isOver it was withdrawn: nothing is to be waited for any more */
  #wake(id: string, isOver: boolean): void {
    this.#beginNow(id);
    this.#runs.get(id)?.wake(isOver);
  }

  /** Resolves when nothing is under way any more; to be called once the signal has aborted. */
  async ended(): Promise<void> {
    await this.#runsEnded();
    await this.#context.ended();
  }

  /** Another process may have what is supervised here: all of it stops. Resolves once it has. */
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
