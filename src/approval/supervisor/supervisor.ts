import { extendLogContext, runInLogContext } from '../../machine/log-context.ts';
import type { ProcessNotification } from '../../store/other-processes.ts';
import { CLAIM_MS, MAX_STEP_DELAY_MS } from '../../store/proposal-queue.ts';
import type { ProposalReason, StoredProposal } from '../../store/proposal-store.ts';
import type { KernelContext } from '../kernel-context.ts';
import type { TransitionResult } from '../transitions.ts';
import { followResult } from './follow-result.ts';
import { ProposalRun, type RunReason } from './proposal-run.ts';
import { ProviderPings } from './provider-pings.ts';

/**
 * Maximum number of due proposals that this process works on at the same time. If the provider pings, due polls only
 * make up for lost pings and must not delay proposals that were just approved. Without pings, every decision takes a
 * poll, and the provider may respond to each poll slowly.
 */
const MAX_DUE_RUNS = { ping: 16, poll: 1_000 } as const;
/** How often this process renews its claims and looks for due proposals, if it shares the database. */
const RENEWAL_INTERVAL_MS = CLAIM_MS / 3;
/** Pause in milliseconds before the next attempt if other processes have locked all due proposals. */
const LOCKED_PAUSE_MS = 50;
/** Delays before retrying after a failure, in milliseconds; the last one repeats. */
const FAILURE_RETRY_DELAYS_MS = [1_000, 5_000, 15_000] as const;

/**
 * Works on the open proposals that are due or have just changed, with at most one run for each. A proposal that waits
 * for a person has no run: its row has the time of the next poll. If several processes share a database, each proposal
 * is claimed by the process that works on it.
 */
export class ProposalSupervisor {
  readonly #context: KernelContext;
  readonly #pings: ProviderPings;
  readonly #runs = new Map<string, ProposalRun>();
  readonly #followed = new Map<string, Following>();
  /** Aborts when a proposal may be due earlier than `#wakeAt`. */
  #alarm = new AbortController();
  /** When to look for due proposals again, in milliseconds since the epoch. */
  #wakeAt = 0;

  constructor(context: KernelContext) {
    this.#context = context;
    this.#pings = new ProviderPings(context.parts);
    // One listener for all runs, because a long-lived signal keeps a reference to each of its listeners.
    context.signal.addEventListener('abort', () => {
      this.#alarm.abort();
      for (const run of this.#runs.values()) run.end();
      for (const { end } of this.#followed.values()) end.abort();
    });
  }

  /** Works on due proposals until the gateway closes, beginning with those from before a restart. */
  async supervise(): Promise<void> {
    const { parts, signal } = this.#context;
    const { others, queue, clock, audit } = parts;
    const stopHearing = others?.subscribe((news) => {
      this.#hear(news).catch((error) => this.#context.fail(error));
    });
    let isStarted = false;
    for (let failures = 0; !signal.aborted; ) {
      let wait: number;
      try {
        if (!isStarted) {
          await queue.makeAllDue(clock.now());
          await this.#context.notifyUnnotified();
          audit.sequenceSoon();
          isStarted = true;
        }
        wait = await this.#beginDue();
        failures = 0;
      } catch (error) {
        this.#context.fail(error);
        wait = FAILURE_RETRY_DELAYS_MS[Math.min(failures++, FAILURE_RETRY_DELAYS_MS.length - 1)] ?? 0;
      }
      await this.#sleep(wait);
    }
    stopHearing?.();
    await this.ended();
  }

  /** Renews the claims and begins the runs of due proposals. Returns the milliseconds until the next call is due. */
  async #beginDue(): Promise<number> {
    const { queue, clock, others, asking } = this.#context.parts;
    const runs = [...this.#runs];
    const claimed = runs.filter(([, run]) => run.isClaimed).map(([id]) => id);
    for (const id of await queue.renew(claimed)) this.#runs.get(id)?.end();
    const most = others === undefined ? MAX_STEP_DELAY_MS : RENEWAL_INTERVAL_MS;
    const free = MAX_DUE_RUNS[asking.delivery] - runs.filter(([, { why }]) => why === 'due').length;
    if (free <= 0) return most;
    const { ids, nextMs = most } = await queue.claimDue(free, clock.now());
    for (const id of ids) this.begin(id, 'due');
    return Math.min(ids.length === 0 ? Math.max(nextMs, LOCKED_PAUSE_MS) : nextMs, most);
  }

  async #sleep(ms: number): Promise<void> {
    const { clock } = this.#context.parts;
    this.#wakeAt = clock.now() + ms;
    await clock.sleep(ms, this.#alarm.signal).catch(() => undefined);
    if (!this.#context.signal.aborted) this.#alarm = new AbortController();
  }

  async #hear(news: ProcessNotification): Promise<void> {
    const { parts, changes } = this.#context;
    if (news === 'missed') {
      changes.notifyAll();
      // Whatever interrupted the connection to the database may have interrupted pings, too.
      await parts.queue.makeAllDue(parts.clock.now());
      this.#alarm.abort();
    } else if ('revoked' in news) {
      changes.notifyPerson(news.revoked);
    } else if ('moved' in news) {
      const id = news.moved;
      if (!changes.isAwaited(id) && !this.isSupervised(id)) return;
      const proposal = await parts.store.get(id);
      if (proposal === undefined) return;
      changes.notify(proposal);
      // Another process has withdrawn a proposal that this process works on.
      if (proposal.state === 'cancelled') this.#runs.get(id)?.wake(true);
    }
  }

  /** Starts to work on a proposal in any state, unless it has a run. */
  begin(id: string, why: RunReason): void {
    if (this.#runs.has(id) || this.#context.signal.aborted) return;
    const run = new ProposalRun(id, this.#context, this.#pings, why);
    this.#runs.set(id, run);
    run.ended.then((next) => {
      this.#runs.delete(id);
      if (run.isWoken) this.begin(id, 'found');
      else if (next === 'nothing') this.follow(id, false);
      const isEarlier = typeof next === 'number' && this.#context.parts.clock.now() + next < this.#wakeAt;
      if (why === 'due' || isEarlier) this.#alarm.abort();
    });
  }

  /**
   * Follows the result of an executed proposal while it may still change.
   * @param isResumed whether to follow it only if the broker streams order changes, for example after a restart
   */
  follow(id: string, isResumed: boolean): void {
    if (this.isSupervised(id) || this.#followed.has(id) || this.#context.signal.aborted) return;
    const end = new AbortController();
    const ended = runInLogContext({ proposal: id }, () =>
      followResult(this.#context, id, { isResumed, signal: end.signal })
        .catch((error) => this.#context.fail(error))
        .finally(() => this.#followed.delete(id)),
    );
    this.#followed.set(id, { isResumed, end, ended });
  }

  /**
   * Returns whether this process works on a proposal or follows its result. False if following was only resumed, for
   * example after a restart: each request for such a proposal has to check the result itself.
   */
  isSupervised(id: string): boolean {
    return this.#runs.has(id) || this.#followed.get(id)?.isResumed === false;
  }

  /** Handles the provider's ping (CIBA Core §10.2). Returns false if it matches no stored approval request. */
  async handlePing(authReqId: string, notificationToken: string): Promise<boolean> {
    const proposal = await this.#pings.findProposal(authReqId, notificationToken);
    if (proposal === undefined) return false;
    const { id, trace } = proposal;
    extendLogContext({ proposal: id, trace });
    if (!this.#runs.has(id) && !(await this.#context.parts.queue.claim(id, true))) return true;
    const run = this.#runs.get(id);
    if (run === undefined) this.begin(id, 'pinged');
    else run.wake(false);
    return true;
  }

  /** Cancels a proposal in any state that still allows it. */
  async cancel(proposal: StoredProposal, reason: ProposalReason): Promise<TransitionResult> {
    for (let seen = proposal; ; ) {
      const after = await this.#context.parts.moves.move(seen, 'cancelled', { reason });
      if (after.outcome === 'stale') {
        seen = after.proposal;
        continue;
      }
      this.#context.announce(after);
      if (after.outcome === 'moved') this.#runs.get(proposal.id)?.wake(true);
      return after;
    }
  }

  /** Resolves when all runs and notifications have ended. Call it after the signal has aborted. */
  async ended(): Promise<void> {
    await Promise.allSettled([...this.#runs.values(), ...this.#followed.values()].map(({ ended }) => ended));
    await this.#context.ended();
  }
}

interface Following {
  readonly isResumed: boolean;
  readonly end: AbortController;
  readonly ended: Promise<void>;
}
