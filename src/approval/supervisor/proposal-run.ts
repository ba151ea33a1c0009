import { failpoint } from '../../machine/failpoint.ts';
import { extendLogContext, runInLogContext } from '../../machine/log-context.ts';
import type { ProposalReason, StoredProposal } from '../../store/proposal-store.ts';
import type { ProposalState } from '../../trading/proposal.ts';
import { proposerWithoutToken } from '../access.ts';
import { executeProposal, recordExecutionOutcome } from '../carry-out.ts';
import type { PollResult } from '../ciba/ciba-port.ts';
import { buildCibaRequest, currentApprover, isSecondApproverNext } from '../ciba-request.ts';
import type { KernelContext } from '../kernel-context.ts';
import type { ApprovalToken, ProposalPatch } from '../transitions.ts';
import type { ProviderPings } from './provider-pings.ts';
import { requestOwnerApproval, requestSecondApproval } from './request-approval.ts';

/** Delays before retrying after an unexpected failure, such as a full disk, in milliseconds; the last one repeats. */
const FAILURE_RETRY_DELAYS_MS = [1_000, 5_000, 15_000, 60_000] as const;
/** Maximum number of times that a person is asked about one proposal, if responses keep getting lost. */
const MAX_QUESTIONS = 3;
/** Seconds by which each `slow_down` permanently increases the polling interval (CIBA Core §11). */
const SLOW_DOWN_SECONDS = 5;
/** Maximum delay of the next poll while the provider is unreachable, in seconds. */
const MAX_BACKOFF_SECONDS = 30;
/**
 * How long a closing gateway waits for a response in transit, in milliseconds. A lost response can't be requested
 * again. After a ping, the response is certain to come; without a ping, the request may be a long poll that has no
 * response yet.
 */
const CLOSING_WAIT_MS = { called: 5_000, uncalled: 250 } as const;
/**
 * How long a response is kept in memory while it can't be stored, in seconds. The provider issues a token only once:
 * if the response were dropped, the person would have to be asked again. Restoring a database takes minutes.
 */
const MAX_STORE_OUTAGE_S = 15 * 60;
/** Extra wait for a decision after the deadline, in milliseconds, to distinguish a denial from an expiry. */
const LATE_ANSWER_MS = 5_000;
/**
 * Delays between polls if the provider pings, in seconds. Such a poll only makes up for a lost ping, so the delay grows
 * with the age of the approval request, from `first` to `most`.
 */
const LOST_PING_POLL_SECONDS = { first: 30, most: 600 } as const;
/** Maximum time that a run waits in memory for the next poll, in milliseconds. For a longer wait, the run ends. */
const MAX_REST_MS = 2_000;
/**
 * Interval between lookups of an unknown outcome, in milliseconds: short enough for gateway/orders/absence.ts to
 * measure how long an order has been missing.
 */
const UNKNOWN_LOOKUP_INTERVAL_MS = 30_000;
/** Delay before retrying to execute a proposal that has changed in the meantime, in milliseconds. */
const CONFLICT_PAUSE_MS = 1_000;
/**
 * How long an unknown outcome is looked up, in milliseconds, not counting the time that the machine sleeps. Lookups
 * resume when someone views the proposal, when the gateway starts or the machine wakes up, and on the next day.
 */
const MAX_UNKNOWN_LOOKUP_MS = 30 * 60_000;

/**
 * Why a run begins. `due`: this process has claimed the proposal, because its next step is due. `pinged`: this process
 * has claimed it, because the provider pinged. `found`: the proposal is not claimed yet.
 */
export type RunReason = 'due' | 'pinged' | 'found';

/**
 * The outcome of a run: the milliseconds until the next step, `nothing` if no step is planned, or `elsewhere` if
 * another process has claimed the proposal.
 */
type NextStep = number | 'nothing' | 'elsewhere';

/** The transition that follows from a poll's result. */
interface Decision {
  readonly to: ProposalState;
  readonly changes: ProposalPatch;
}

/**
 * Works on one proposal from the state in its row: asks for approval, polls for the decision and executes the proposal.
 * Continues what another process left unfinished. Ends when the proposal has to wait for a person, with the time of the
 * next poll in the row; when nothing more can be found out until someone views the proposal; or when the gateway
 * closes.
 *
 * The row may change after it was read, so every step is a transition from the version that was read. A change may be
 * reported before the run starts to wait for it, so the run remembers reports.
 */
export class ProposalRun {
  readonly why: RunReason;
  /** Resolves when the run has ended. Never rejects. */
  readonly ended: Promise<NextStep>;
  isClaimed: boolean;
  readonly #id: string;
  readonly #context: KernelContext;
  readonly #pings: ProviderPings;
  /** Aborts when the gateway closes, or when another process has claimed the proposal. */
  readonly #end = new AbortController();
  /** Aborts when a ping or a withdrawal arrives. */
  #news = new AbortController();
  /** Whether to stop waiting, because the proposal was withdrawn or this run has to end. */
  #isOver = false;
  #breakOff: (() => void) | undefined;
  /** Whether this run has just sent the approval request. If so, no ping can have been missed. */
  #isFresh = false;
  /**
   * The time of the next poll if the provider does not ping, and the earliest time that the provider allows, both in
   * milliseconds since the epoch.
   */
  #nextPoll = { at: 0, earliest: 0 };
  /** Whether the provider has pinged since the last poll. If so, a decision is available. */
  #isPinged: boolean;
  /** Number of polls in a row without a usable response. */
  #failures = 0;

  constructor(id: string, context: KernelContext, pings: ProviderPings, why: RunReason) {
    this.why = why;
    this.#id = id;
    this.#context = context;
    this.#pings = pings;
    this.isClaimed = why !== 'found';
    this.#isPinged = why === 'pinged';
    this.ended = runInLogContext({ proposal: id }, () =>
      this.#run().catch((error) => {
        if (!this.#end.signal.aborted) context.fail(error);
        return 'elsewhere';
      }),
    );
  }

  /** Whether a ping or a withdrawal arrived that the run has not processed yet. */
  get isWoken(): boolean {
    return this.#news.signal.aborted;
  }

  /** Wakes the run because of a ping or a withdrawal. @param isOver whether to stop waiting, because of a withdrawal */
  wake(isOver: boolean): void {
    if (isOver) {
      this.#isOver = true;
      this.#breakOff?.();
    }
    this.#news.abort();
  }

  /** Makes the run end soon. The proposal keeps its state. */
  end(): void {
    this.#end.abort();
    this.wake(true);
  }

  async #run(): Promise<NextStep> {
    const { queue, clock } = this.#context.parts;
    this.isClaimed ||= await this.#persist(() => queue.claim(this.#id, false));
    if (!this.isClaimed) return 'elsewhere';
    const next = await this.#persist(() => this.#supervise()).catch(async (error) => {
      // The gateway is closing: another process may continue as soon as the provider allows another poll.
      const wait = Math.max(0, this.#nextPoll.earliest - clock.now());
      await queue.release(this.#id, wait, clock.now()).catch(() => undefined);
      throw error;
    });
    const isDue = await this.#persist(() => queue.release(this.#id, next, clock.now()));
    return isDue ? 0 : (next ?? 'nothing');
  }

  /** Repeats `work` after every failure, so that no open proposal is left unsupervised. */
  async #persist<T>(work: () => Promise<T>): Promise<T> {
    const context = this.#context;
    for (let failures = 0; ; failures++) {
      try {
        return await work();
      } catch (error) {
        this.#end.signal.throwIfAborted();
        context.fail(error);
        // A ping may have been missed.
        this.#isFresh = false;
        this.#nextPoll.at = this.#nextPoll.earliest;
        // The failure may have happened between a change and its notifications.
        context.parts.audit.sequenceSoon();
        await context.notifyUnnotified().catch((failure) => context.fail(failure));
        await this.#rest(FAILURE_RETRY_DELAYS_MS[Math.min(failures, FAILURE_RETRY_DELAYS_MS.length - 1)] ?? 0);
      }
    }
  }

  /** Works on the proposal until a long wait. @returns milliseconds until the next poll; undefined if none is due */
  async #supervise(): Promise<number | undefined> {
    for (;;) {
      this.#end.signal.throwIfAborted();
      switch (await this.#ask()) {
        case 'asked': {
          const next = await this.#awaitDecision();
          if (next !== undefined) return next;
          break;
        }
        case 'answered':
          await this.#carryOut();
          await this.#resumeUnknown();
          // Reads the state again, because the proposal may have changed just before this run ends. Pauses first: two
          // gateways that work on the same proposal would otherwise keep changing its row. After the pause, one of them
          // finds the outcome unknown, and leaves the proposal to the other.
          if (!(await this.#isUnderWay())) return undefined;
          await this.#pause(CONFLICT_PAUSE_MS);
          if (!(await this.#isUnderWay())) return undefined;
          break;
        case 'over':
          return undefined;
      }
    }
  }

  async #ask(): Promise<'moved' | 'asked' | 'answered' | 'over'> {
    const context = this.#context;
    const proposal = await context.parts.store.get(this.#id);
    extendLogContext({ trace: proposal?.trace });
    switch (proposal?.state) {
      case 'drafted':
        await requestOwnerApproval(context, proposal, this.#end.signal);
        this.#isFresh = true;
        return 'moved';
      case 'requested': {
        if (!isSecondApproverNext(proposal)) return 'asked';
        const wait = await requestSecondApproval(context, proposal, this.#end.signal);
        this.#isFresh = wait === 0;
        if (wait > 0) await this.#rest(wait);
        return 'moved';
      }
      case 'approved':
      case 'executing':
      case 'unknown':
        return 'answered';
      default:
        // An ended proposal becomes due if the process that ended it may have died before it notified the phone.
        if (this.why === 'due') await context.notifyUnnotified();
        return 'over';
    }
  }

  /**
   * Waits until the person decides or the deadline in the row passes. Sends one poll at a time, even after network
   * loss, sleep, 5xx and `slow_down`. The token is sealed in the row before anything else uses it.
   * @returns milliseconds until the next poll, if it is too long to wait in memory; undefined if the wait is over
   * @throws the signal's reason if the gateway closes first; the proposal then keeps its state
   */
  async #awaitDecision(): Promise<number | undefined> {
    for (;;) {
      this.#end.signal.throwIfAborted();
      const proposal = await this.#context.parts.store.get(this.#id);
      if (proposal?.state !== 'requested' || proposal.authReqId === undefined) return undefined;
      // The owner has approved: the second approver has to be asked first (request-approval.ts).
      if (isSecondApproverNext(proposal)) return undefined;
      const rest = await this.#timeUntilPoll(proposal);
      if (rest > MAX_REST_MS) return rest;
      if (rest > 0) this.#isPinged = await this.#rest(rest);
      else if (await this.#pollOnce(proposal, proposal.authReqId)) return undefined;
    }
  }

  /** Returns the milliseconds until the next poll. A ping that arrived earlier ends the wait. */
  async #timeUntilPoll(proposal: StoredProposal): Promise<number> {
    const { clock, asking } = this.#context.parts;
    if (this.#isFresh) {
      this.#isFresh = false;
      this.#isPinged = await this.#pings.takeEarlyPing(proposal);
      this.#nextPoll.at = asking.delivery === 'ping' ? clock.now() + LOST_PING_POLL_SECONDS.first * 1000 : 0;
    }
    if (this.isWoken) {
      this.#news = new AbortController();
      this.#isPinged = true;
    }
    return this.#isPinged ? 0 : Math.min(this.#nextPoll.at, proposal.expiresAt) - clock.now();
  }

  /** Polls and processes the result. Returns true if the wait is over. */
  async #pollOnce(proposal: StoredProposal, authReqId: string): Promise<boolean> {
    const { clock } = this.#context.parts;
    const { result, sentAt } = await this.#poll(proposal, authReqId);
    this.#isPinged = false;
    const pause = this.#pauseAfter(proposal, result, sentAt);
    this.#nextPoll.at = clock.now() + pause * 1000;
    if (await this.#settleSurely(proposal, result)) return true;
    // Past its deadline, the proposal expires only after one more poll, because the person may have denied it in time.
    return proposal.expiresAt <= clock.now() && (await this.#expire(proposal));
  }

  async #poll(
    proposal: StoredProposal,
    authReqId: string,
  ): Promise<{ readonly result: PollResult; readonly sentAt: number }> {
    const { parts } = this.#context;
    const { asking, clock } = parts;
    const { expiresAt } = proposal;
    const closingWait = this.#isPinged ? CLOSING_WAIT_MS.called : CLOSING_WAIT_MS.uncalled;
    let sentAt = 0;
    const onSend = () => {
      sentAt = clock.now();
      this.#nextPoll.earliest = sentAt + proposal.interval * 1000;
    };
    onSend();
    const ended = new AbortController();
    const done = new AbortController();
    const endAfter = (ms: number) =>
      clock.sleep(ms, done.signal).then(
        () => ended.abort(),
        () => undefined,
      );
    const timer = endAfter(Math.max(0, expiresAt - clock.now()) + LATE_ANSWER_MS);
    // Ends a long poll when the proposal is withdrawn. `AbortSignal.any` is not used, because the gateway's own signal
    // is long-lived and would keep a reference to each signal derived from it.
    this.#breakOff = () => {
      if (this.#end.signal.aborted) void endAfter(closingWait);
      else ended.abort();
    };
    // The proposal may have been withdrawn after its row was read.
    if (this.#isOver) this.#breakOff();
    try {
      const { details } = buildCibaRequest(parts, proposal);
      ended.signal.throwIfAborted();
      failpoint('poll.before_call');
      const expected = { sub: currentApprover(proposal), details, expiresAt };
      const result = await asking.poll(authReqId, expected, ended.signal, onSend);
      return { result, sentAt };
    } catch {
      // The client does not throw for a response of the provider, so an error, such as an abort, decides nothing.
      return { result: { status: 'unreachable', reason: 'no response' }, sentAt };
    } finally {
      this.#breakOff = undefined;
      done.abort();
      await timer;
    }
  }

  /** Returns the seconds until the next poll. */
  #pauseAfter({ interval, updatedAt }: StoredProposal, result: PollResult, sentAt: number): number {
    const { clock, asking } = this.#context.parts;
    const now = clock.now();
    // If the clock was set back since the poll, the wait must not become longer.
    const untilNext = (seconds: number) => Math.max(seconds - Math.max(0, now - sentAt) / 1000, 0.001);
    const age = Math.max(0, now - updatedAt) / 1000;
    if (result.status === 'unreachable') {
      // Our own backoff is limited. What the provider asks for (its interval, Retry-After) is limited only by the
      // deadline.
      this.#failures += 1;
      const backoff = this.why === 'due' ? age : 2 ** (this.#failures - 1);
      return Math.max(Math.min(backoff, MAX_BACKOFF_SECONDS), result.retryAfter ?? 0, untilNext(interval));
    }
    this.#failures = 0;
    if (result.status === 'slow_down') return untilNext(interval + SLOW_DOWN_SECONDS);
    if (asking.delivery === 'poll') return untilNext(interval);
    const { first, most } = LOST_PING_POLL_SECONDS;
    return Math.max(Math.min(Math.max(age, first), most), untilNext(interval));
  }

  /**
   * Processes a poll's result even if the gateway is closing or the store is temporarily unavailable, because the
   * provider issues a token only once. If the store did write the result before it failed, the next attempt finds that
   * the row has changed.
   */
  async #settleSurely(proposal: StoredProposal, result: PollResult): Promise<boolean> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#settle(proposal, result);
      } catch (error) {
        if (tries > MAX_STORE_OUTAGE_S || this.#end.signal.aborted) throw error;
        await this.#context.parts.clock.sleep(1_000);
      }
    }
  }

  /** Processes a poll's result. Returns true if the wait is over. */
  async #settle(proposal: StoredProposal, result: PollResult): Promise<boolean> {
    switch (result.status) {
      case 'approved': {
        failpoint('poll.answered');
        await this.#decide(
          proposal,
          approvalDecision(proposal, { value: result.accessToken, expiresAt: result.expiresAt }),
        );
        failpoint('approval.sealed');
        return true;
      }
      case 'denied':
        return await this.#conclude(proposal, 'denied', {
          code: 'approval_denied',
          text: deniedText(proposal),
        });
      case 'expired':
        return await this.#expire(proposal);
      case 'failed': {
        const text = `the identity provider reported an error: ${result.error}`;
        return await this.#conclude(proposal, 'blocked', { code: 'provider_error', text });
      }
      case 'lost': {
        // Whatever the person decided, no token arrived, so no order can have been sent: ask the person again.
        const isSecond = currentApprover(proposal) !== proposal.sub;
        if (proposal.asked >= (isSecond ? MAX_QUESTIONS + 1 : MAX_QUESTIONS)) {
          const text = `the decision from the phone was lost ${MAX_QUESTIONS} times`;
          return await this.#conclude(proposal, 'blocked', { code: 'provider_error', text });
        }
        const text = 'the decision from the phone was lost, so the approval request is sent again';
        const reason: ProposalReason = { code: 'answer_lost', text };
        // The owner's approval stays. Only the second approver is asked again.
        const again = { authReqId: proposal.ownerAuthReqId ?? '', reason };
        await this.#decide(
          proposal,
          isSecond ? { to: 'requested', changes: again } : { to: 'drafted', changes: { reason } },
        );
        failpoint('lost.drafted');
        return true;
      }
      case 'slow_down':
        await this.#context.parts.store.setInterval(proposal.id, proposal.interval + SLOW_DOWN_SECONDS);
        return false;
      case 'pending':
      case 'unreachable':
        return false;
    }
  }

  async #expire(proposal: StoredProposal): Promise<true> {
    return await this.#conclude(proposal, 'expired', {
      code: 'approval_expired',
      text: 'no response in time',
    });
  }

  /** Ends the proposal without an approval. */
  async #conclude(proposal: StoredProposal, to: ProposalState, reason: ProposalReason): Promise<true> {
    failpoint('poll.answered');
    await this.#decide(proposal, { to, changes: { reason } });
    failpoint('decision.recorded');
    return true;
  }

  /**
   * Changes the proposal's state if the decision is about its current approval request. A denial is also accepted if it
   * is about an earlier approval request.
   */
  async #decide(proposal: StoredProposal, { to, changes }: Decision): Promise<void> {
    const { moves } = this.#context.parts;
    let after = await moves.move(proposal, to, changes);
    const isOpen = () => ['drafted', 'requested'].includes(after.proposal.state);
    while (to === 'denied' && after.outcome === 'stale' && isOpen()) {
      after = await moves.move(after.proposal, to, changes);
    }
    this.#context.announce(after);
  }

  async #carryOut(): Promise<void> {
    for (let tries = 0; ; tries++) {
      this.#end.signal.throwIfAborted();
      const wait = await executeProposal(this.#context, this.#id, tries);
      if (wait === undefined) return;
      await this.#pause(wait);
    }
  }

  /**
   * Keeps looking up the outcome of a proposal whose approval can no longer be used. Uses the owner's latest token, or
   * none if the gateway can access the account without one. Gives up after {@link MAX_UNKNOWN_LOOKUP_MS}.
   */
  async #resumeUnknown(): Promise<void> {
    const { store, clock, getKind, isUnattended } = this.#context.parts;
    const until = clock.monotonic() + MAX_UNKNOWN_LOOKUP_MS;
    while (clock.monotonic() < until) {
      this.#end.signal.throwIfAborted();
      const proposal = await store.get(this.#id);
      if (proposal?.state !== 'unknown') return;
      const { sub, kind, subject } = proposal;
      const session = this.#context.latestSession(sub) ?? (isUnattended ? proposerWithoutToken(sub) : undefined);
      if (session === undefined) return;
      const found = await getKind(kind).settle(subject, session);
      if (found === undefined) return;
      const { outcome } = found;
      if (outcome === 'executed' || outcome === 'refused' || (outcome === 'unknown' && found.final === true)) {
        await recordExecutionOutcome(this.#context, proposal, found, 0);
        return;
      }
      await this.#pause(UNKNOWN_LOOKUP_INTERVAL_MS);
    }
  }

  /** Returns whether the proposal still has to be executed. If the outcome is unknown, it only has to be looked up. */
  async #isUnderWay(): Promise<boolean> {
    const proposal = await this.#context.parts.store.get(this.#id);
    return proposal?.state === 'approved' || proposal?.state === 'executing';
  }

  /**
   * Resolves after `ms` milliseconds, or with true as soon as a ping or withdrawal arrives.
   * @throws the signal's reason if the run has to end
   */
  async #rest(ms: number): Promise<boolean> {
    const { signal } = this.#end;
    signal.throwIfAborted();
    try {
      await this.#context.parts.clock.sleep(ms, this.#news.signal);
    } catch {
      // The checks below find out why the sleep ended.
    }
    signal.throwIfAborted();
    // A ping or withdrawal that arrived during a poll ends this wait at once.
    if (!this.#news.signal.aborted) return false;
    this.#news = new AbortController();
    return true;
  }

  /** Like `#rest`, but pings don't end the wait early, because repeated pings must not cause more lookups. */
  async #pause(ms: number): Promise<void> {
    const { clock } = this.#context.parts;
    const until = clock.now() + ms;
    for (let left = ms; left > 0 && !this.#isOver; left = until - clock.now()) {
      if (!(await this.#rest(left))) return;
    }
  }
}

function deniedText(proposal: StoredProposal): string {
  return currentApprover(proposal) === proposal.sub
    ? 'denied on the phone'
    : 'denied by the second approver on their phone';
}

/** Returns the transition for an approval: to `approved` if no other approval is required. */
function approvalDecision(proposal: StoredProposal, token: ApprovalToken): Decision {
  const { sub, second, authReqId = '' } = proposal;
  if (second === undefined) return { to: 'approved', changes: { token } };
  if (currentApprover(proposal) !== sub) return { to: 'approved', changes: { secondToken: token } };
  return { to: 'requested', changes: { token, ownerAuthReqId: authReqId } };
}
