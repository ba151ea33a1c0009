import { failpoint } from '../../machine/failpoint.ts';
import type { Reason, StoredProposal } from '../../store/proposal-store.ts';
import type { ProposalState } from '../../trading/proposal.ts';
import { withoutToken } from '../access.ts';
import type { PollResult } from '../asking-port.ts';
import { carryOut, settleExecution } from '../carry-out.ts';
import type { KernelContext } from '../kernel-context.ts';
import type { ApprovalToken, Changes } from '../moves.ts';
import { askedNow, isSecondToBeAsked, questionOf } from '../question.ts';
import { askOwner, askSecond } from './ask.ts';
import { followResult } from './follow-result.ts';
import type { Pacer, ProviderCalls } from './provider-calls.ts';

/** After what nobody foresaw (a full disk, say) it is tried again, milliseconds; the last one repeats. */
const FAILED_WAITS_MS = [1_000, 5_000, 15_000, 60_000] as const;
/** Times the person is asked for one proposal, when the answer keeps getting lost. */
const MAX_ASKED = 3;
/** CIBA Core §11: `slow_down` means five seconds more between polls, from then on. */
const SLOW_DOWN_SECONDS = 5;
/** Longest pause after the provider could not be reached. */
const MAX_BACKOFF_SECONDS = 30;
/**
 * How long an answer that is on its way is waited for when the gateway closes, milliseconds: the provider gives a token once.
 * One that called has an answer; else it may be a long poll, of which nobody knows.
 */
const CLOSING_MS = { called: 5_000, uncalled: 250 } as const;
/**
 * How long an answer is kept in memory while it can't be stored, seconds. The provider gives a token once, so giving up costs
 * the person a second question; a database that is restored takes minutes.
 */
const STORE_AWAY_S = 15 * 60;
/** How long an answer may still come after the deadline: it tells a denial from an expiry. */
const LAST_ANSWER_MS = 5_000;
/**
 * Where the provider calls back, a poll is only for a call that got lost: after so many seconds, then after twice as
 * many each time, up to the last.
 */
const UNCALLED_SECONDS = { first: 30, most: 600 } as const;
/** Between two looks at an unknown outcome, milliseconds: close enough together to measure how long an order has been absent (gateway/orders/absence.ts). */
const LOOK_MS = 30_000;
/** Before one that changed under this process is carried out again, milliseconds. */
const UNDER_WAY_MS = 1_000;
/** How long an unknown outcome is asked about, milliseconds of awake time. After that a visit, a start, a wake or the next day begins again. */
const PURSUED_MS = 30 * 60_000;

/** What one wait for a decision keeps in mind between its polls. */
interface Wait {
  /** Seconds until the next poll. */
  pause: number;
  failures: number;
  polled: boolean;
  /** False where the provider would call, and has not: then its polls wait for their turn among all proposals. */
  called: boolean;
  /** Seconds until the next poll for a call that may have got lost. */
  uncalled: number;
  /** As the row had it at the last look, milliseconds since the epoch. */
  expiresAt: number;
}

/** What an answer leads to. */
interface Decision {
  readonly to: ProposalState;
  readonly changes: Changes;
}

/**
 * Supervises one proposal from whatever state its row is in to its end: asks, waits for the decision, carries it out and
 * follows the result. Picks up what another process left. Ends early where the gateway closes, or where only the person's
 * next visit can tell more.
 *
 * Between a look at the row and what is done next the row may change, so what is done is a move from the version that was
 * seen; and news of the change may come before it is listened for, so news are kept.
 */
export class ProposalRun {
  /** Whether only its result is followed. Whoever looks at such a one asks for themselves, as without a run. */
  readonly isResumed: boolean;
  /** Resolves at the end of the run. */
  readonly ended: Promise<void>;
  readonly #id: string;
  readonly #context: KernelContext;
  readonly #calls: ProviderCalls;
  /** Aborts when the gateway closes, or another process may have the proposal by now. */
  readonly #end = new AbortController();
  /** Aborts at news of the proposal: a call from the provider, a withdrawal. */
  #news = new AbortController();
  /** It was withdrawn, or this run is to end: nothing is to be waited for any more. */
  #isOver = false;
  /** Breaks off the poll that is under way. */
  #breakOff: (() => void) | undefined;
  /** Whether this very process asked, and has heard every call since; false once something went wrong. */
  #isFresh: boolean;
  /** When the provider was last polled, milliseconds since the epoch, and for how many seconds it is not to be polled again. */
  #lastPoll: { readonly authReqId: string; readonly at: number; readonly pause: number } | undefined;

  /**
   * @param why `drafted` by this process just now; `taken` over from another, in the rows too; `found` where nobody may
   *   have it; `resumed` to follow its result alone
   */
  constructor(
    id: string,
    context: KernelContext,
    calls: ProviderCalls,
    why: 'drafted' | 'taken' | 'found' | 'resumed',
  ) {
    this.#id = id;
    this.#context = context;
    this.#calls = calls;
    this.#isFresh = why === 'drafted';
    this.isResumed = why === 'resumed';
    this.ended = this.#run(why === 'taken').catch((error) => {
      if (!this.#end.signal.aborted) context.fail(error);
    });
  }

  /** There is news of the proposal. @param isOver it was withdrawn: nothing is to be waited for any more */
  wake(isOver: boolean): void {
    if (isOver) {
      this.#isOver = true;
      this.#breakOff?.();
    }
    this.#news.abort();
  }

  /** Has the run end soon: its proposal stays as it is. */
  end(): void {
    this.#end.abort();
    this.wake(true);
  }

  async #run(isTaken: boolean): Promise<void> {
    const { others } = this.#context.parts;
    if (!this.isResumed) {
      const isOurs = isTaken || others === undefined || (await this.#persist(() => others.take(this.#id)));
      if (!isOurs) return;
      await this.#persist(() => this.#supervise());
    }
    const { isResumed } = this;
    await followResult(this.#context, this.#id, { isResumed, signal: this.#end.signal });
  }

  /** Whatever goes wrong inside, an open proposal is not left alone: it is tried again. */
  async #persist<T>(work: () => Promise<T>): Promise<T> {
    const context = this.#context;
    for (let failures = 0; ; failures++) {
      try {
        return await work();
      } catch (error) {
        this.#end.signal.throwIfAborted();
        context.fail(error);
        this.#isFresh = false;
        // It may have come between a change and those who are to hear of it.
        context.parts.audit.flushSoon();
        await context.tellUntold().catch((failure) => context.fail(failure));
        await this.#rest(FAILED_WAITS_MS[Math.min(failures, FAILED_WAITS_MS.length - 1)] ?? 0);
      }
    }
  }

  async #supervise(): Promise<void> {
    while (!this.#end.signal.aborted) {
      switch (await this.#ask()) {
        case 'asked':
          await this.#awaitDecision();
          break;
        case 'answered':
          await this.#carryOut();
          await this.#pursueUnknown();
          // If it changed while it was to end, it is looked at again in whatever state it is by now. Not at once: another
          // gateway may be at it too, and each would move the row under the other without end. After the pause one of them
          // finds it unknown, and leaves it to the other.
          if (!(await this.#isUnderWay())) return;
          await this.#pause(UNDER_WAY_MS);
          if (!(await this.#isUnderWay())) return;
          break;
        case 'over':
          return;
      }
    }
  }

  /** Asks whoever is to be asked next. A function of its own: nothing of the row is kept in memory while thousands wait for hours. */
  async #ask(): Promise<'moved' | 'asked' | 'answered' | 'over'> {
    const context = this.#context;
    const proposal = await context.parts.store.get(this.#id);
    switch (proposal?.state) {
      case 'drafted':
        await askOwner(context, proposal, this.#end.signal);
        return 'moved';
      case 'requested': {
        if (!isSecondToBeAsked(proposal)) return 'asked';
        const wait = await askSecond(context, proposal, this.#end.signal);
        if (wait > 0) await this.#rest(wait);
        return 'moved';
      }
      case 'approved':
      case 'executing':
      case 'unknown':
        return 'answered';
      default:
        return 'over';
    }
  }

  /**
   * Waits until a proposal is no longer for the person to decide: one poll at a time, through network loss, sleep, 5xx and
   * slow_down, until the absolute deadline in the row; where the provider calls back, until it does. The token is sealed
   * in the row before anything else hears of it.
   * @throws the signal's reason, when the gateway closes first; the proposal then stays as it is
   */
  async #awaitDecision(): Promise<void> {
    const wait = await this.#beginWait();
    if (wait === undefined) return;
    // After a restart a call may have come while nobody listened: one poll as soon as the others let it.
    if (!wait.called && !this.#isFresh) await this.#takeTurn(wait, this.#calls.restarted);
    for (;;) {
      this.#end.signal.throwIfAborted();
      // What is read of the proposal ends with each look: a wait keeps its times, and nothing else.
      const next = await this.#look(wait);
      if (next === 'over') return;
      if (next === 'polled') continue;
      wait.called = (await this.#rest(next)) || wait.called;
      if (!wait.called) await this.#takeTurn(wait, this.#calls.uncalled);
      wait.pause = 0;
    }
  }

  /** How a wait begins; undefined for a proposal that is not there. */
  async #beginWait(): Promise<Wait | undefined> {
    const { store, asking } = this.#context.parts;
    const found = await store.get(this.#id);
    if (found === undefined) return undefined;
    const called = asking.delivery !== 'ping' || this.#calls.cameFor(found);
    const uncalled = UNCALLED_SECONDS.first;
    const pause = Math.max(!called && this.#isFresh ? uncalled : 0, this.#pauseLeft(found));
    return { pause, failures: 0, polled: false, called, uncalled, expiresAt: found.expiresAt };
  }

  /**
   * Seconds left of the pause after the last poll, when the wait starts again because something failed. Where the provider
   * calls, its call may have come in between: then no more than its interval is waited for.
   */
  #pauseLeft({ authReqId, interval }: StoredProposal): number {
    const { clock, asking } = this.#context.parts;
    const last = this.#lastPoll;
    if (last === undefined || last.authReqId !== authReqId) return 0;
    const pause = asking.delivery === 'ping' ? Math.min(last.pause, interval) : last.pause;
    return Math.max(0, pause - Math.max(0, clock.now() - last.at) / 1000);
  }

  async #takeTurn(wait: Wait, turns: Pacer): Promise<void> {
    const turn = turns.take();
    const left = wait.expiresAt - this.#context.parts.clock.now();
    if (turn > 0 && left > 0) wait.called = await this.#rest(Math.min(turn, left));
  }

  /** Polls, where it is time to. @returns milliseconds to rest before the next look, where it is not */
  async #look(wait: Wait): Promise<'over' | 'polled' | number> {
    const { store, clock, asking } = this.#context.parts;
    // A call about the owner's question must not have the second person's polled twice at once: the look and the poll below
    // take in whatever news there are until now.
    if (wait.pause <= 0 && this.#news.signal.aborted) this.#news = new AbortController();
    const proposal = await store.get(this.#id);
    if (proposal?.state !== 'requested' || proposal.authReqId === undefined) return 'over';
    // The owner said yes: the other question is put first (ask.ts).
    if (isSecondToBeAsked(proposal)) return 'over';
    const { authReqId, expiresAt } = proposal;
    wait.expiresAt = expiresAt;
    const left = expiresAt - clock.now();
    // Once after the deadline it is still asked: the person may have said no in time.
    if (left <= 0 && wait.polled) {
      await this.#expire(proposal);
      return 'over';
    }
    if (wait.pause > 0 && left > 0) return Math.min(wait.pause * 1000, left);
    wait.polled = true;
    const { result, sentAt } = await this.#poll(
      proposal,
      authReqId,
      asking.delivery === 'ping' && wait.called,
    );
    wait.pause = this.#pauseAfter(proposal, result, sentAt, wait);
    this.#lastPoll = { authReqId, at: clock.now(), pause: wait.pause };
    return (await this.#settleSurely(proposal, result)) ? 'over' : 'polled';
  }

  /** @param isThere whether the provider called, so that there is an answer */
  async #poll(
    proposal: StoredProposal,
    authReqId: string,
    isThere: boolean,
  ): Promise<{ readonly result: PollResult; readonly sentAt: number }> {
    const { parts } = this.#context;
    const { asking, clock } = parts;
    const { expiresAt } = proposal;
    let sentAt = clock.now();
    const ended = new AbortController();
    const done = new AbortController();
    const endAfter = (ms: number) =>
      clock.sleep(ms, done.signal).then(
        () => ended.abort(),
        () => undefined,
      );
    const timer = endAfter(Math.max(0, expiresAt - clock.now()) + LAST_ANSWER_MS);
    // Withdrawn meanwhile: without this a long poll would sit it out. No AbortSignal.any with the gateway's own signal,
    // which lives long and keeps track of each that depends on it.
    this.#breakOff = () => {
      if (this.#end.signal.aborted) void endAfter(isThere ? CLOSING_MS.called : CLOSING_MS.uncalled);
      else ended.abort();
    };
    // It was withdrawn between the look at the row and this call.
    if (this.#isOver) this.#breakOff();
    try {
      const { details } = questionOf(parts, proposal);
      ended.signal.throwIfAborted();
      failpoint('poll.before_call');
      const expected = { sub: askedNow(proposal), details, expiresAt };
      const result = await asking.poll(authReqId, expected, ended.signal, () => {
        sentAt = clock.now();
      });
      return { result, sentAt };
    } catch {
      // The client promises not to throw for an answer; what is left (an abort, an unreadable key) is no decision.
      return { result: { status: 'unreachable', reason: 'no answer' }, sentAt };
    } finally {
      this.#breakOff = undefined;
      done.abort();
      await timer;
    }
  }

  /** Seconds until the next poll. */
  #pauseAfter({ interval }: StoredProposal, result: PollResult, sentAt: number, wait: Wait): number {
    const { clock, asking } = this.#context.parts;
    // A clock set back meanwhile must not make it wait for the time that it lost.
    const passed = Math.max(0, clock.now() - sentAt) / 1000;
    const untilNext = (seconds: number) => Math.max(seconds - passed, 0.001);
    if (result.status === 'unreachable') {
      wait.failures += 1;
      // Our own patience has a limit; what the provider asks for (its interval, Retry-After) has none but the deadline.
      const backoff = Math.min(2 ** (wait.failures - 1), MAX_BACKOFF_SECONDS);
      return Math.max(backoff, result.retryAfter ?? 0, untilNext(interval));
    }
    wait.failures = 0;
    if (result.status === 'slow_down') return untilNext(interval + SLOW_DOWN_SECONDS);
    if (asking.delivery === 'poll') return untilNext(interval);
    wait.called = false;
    const pause = Math.max(wait.uncalled, untilNext(interval));
    wait.uncalled = Math.min(wait.uncalled * 2, UNCALLED_SECONDS.most);
    return pause;
  }

  /**
   * Takes an answer in, also while the gateway closes, and while the store is away for a moment: the provider gives a token
   * once. Where the store had it nevertheless, the next try finds that it has moved on.
   */
  async #settleSurely(proposal: StoredProposal, result: PollResult): Promise<boolean> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#settle(proposal, result);
      } catch (error) {
        if (tries > STORE_AWAY_S || this.#end.signal.aborted) throw error;
        await this.#context.parts.clock.sleep(1_000);
      }
    }
  }

  /** Takes an answer in. True where there is nothing left to wait for. */
  async #settle(proposal: StoredProposal, result: PollResult): Promise<boolean> {
    switch (result.status) {
      case 'approved': {
        failpoint('poll.answered');
        await this.#decide(
          proposal,
          approval(proposal, { value: result.accessToken, expiresAt: result.expiresAt }),
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
        const text = `the identity provider refused: ${result.error}`;
        return await this.#conclude(proposal, 'blocked', { code: 'provider_error', text });
      }
      case 'lost': {
        // Whatever was decided, no token came of it here, so nothing can have been traded: they are asked once more.
        const isSecond = askedNow(proposal) !== proposal.sub;
        if (proposal.asked >= (isSecond ? MAX_ASKED + 1 : MAX_ASKED)) {
          const text = `the answer from the phone was lost ${MAX_ASKED} times`;
          return await this.#conclude(proposal, 'blocked', { code: 'provider_error', text });
        }
        const text = 'the answer from the phone was lost on its way; it is asked again';
        const reason: Reason = { code: 'answer_lost', text };
        // What the owner said stays; only the second person is asked again.
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
      text: 'nobody decided in time',
    });
  }

  /** Ends it without an approval. */
  async #conclude(proposal: StoredProposal, to: ProposalState, reason: Reason): Promise<true> {
    failpoint('poll.answered');
    await this.#decide(proposal, { to, changes: { reason } });
    failpoint('decision.recorded');
    return true;
  }

  /** Moves it where it still waits for the very question that was answered. A no counts, whichever time they were asked. */
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
      const wait = await carryOut(this.#context, this.#id, tries);
      if (wait === undefined) return;
      await this.#pause(wait);
    }
  }

  /**
   * Asks what became of a proposal of unknown outcome when its approval is of no more use, again and again until it is known:
   * with the latest token of its owner, or without one where their account can be opened without.
   */
  async #pursueUnknown(): Promise<void> {
    const { store, clock, kindOf, isUnattended } = this.#context.parts;
    const until = clock.monotonic() + PURSUED_MS;
    while (clock.monotonic() < until) {
      this.#end.signal.throwIfAborted();
      const proposal = await store.get(this.#id);
      if (proposal?.state !== 'unknown') return;
      const { sub, kind, subject } = proposal;
      const asker = this.#context.askerOf(sub) ?? (isUnattended ? withoutToken(sub) : undefined);
      if (asker === undefined) return;
      const found = await kindOf(kind).settle(subject, asker);
      if (found === undefined) return;
      const { outcome } = found;
      if (
        outcome === 'executed' ||
        outcome === 'refused' ||
        (outcome === 'unknown' && found.final === true)
      ) {
        await settleExecution(this.#context, proposal, found, 0);
        return;
      }
      await this.#pause(LOOK_MS);
    }
  }

  /** Whether it is still to be carried out. One of unknown outcome waits for whoever can ask about it. */
  async #isUnderWay(): Promise<boolean> {
    const proposal = await this.#context.parts.store.get(this.#id);
    return proposal?.state === 'approved' || proposal?.state === 'executing';
  }

  /**
   * Resolves after `ms`, or sooner with true when there is news (a call from the provider, a withdrawal).
   * @throws the signal's reason, when the run is to end
   */
  async #rest(ms: number): Promise<boolean> {
    const { signal } = this.#end;
    signal.throwIfAborted();
    try {
      await this.#context.parts.clock.sleep(ms, this.#news.signal);
    } catch {
      // Told below.
    }
    signal.throwIfAborted();
    // News that came while a poll was under way is heard at the next rest.
    if (!this.#news.signal.aborted) return false;
    this.#news = new AbortController();
    return true;
  }

  /** As `#rest`, and cut short by a withdrawal alone: a provider that calls once more has no say in when a broker is asked. */
  async #pause(ms: number): Promise<void> {
    const { clock } = this.#context.parts;
    const until = clock.now() + ms;
    for (let left = ms; left > 0 && !this.#isOver; left = until - clock.now()) {
      if (!(await this.#rest(left))) return;
    }
  }
}

function deniedText(proposal: StoredProposal): string {
  return askedNow(proposal) === proposal.sub
    ? 'denied on the phone'
    : 'the second person said no on their phone';
}

/** It is approved once the owner, and the second person where one is needed, said yes. */
function approval(proposal: StoredProposal, token: ApprovalToken): Decision {
  const { sub, second, authReqId = '' } = proposal;
  if (second === undefined) return { to: 'approved', changes: { token } };
  if (askedNow(proposal) !== sub) return { to: 'approved', changes: { secondToken: token } };
  return { to: 'requested', changes: { token, ownerAuthReqId: authReqId } };
}
