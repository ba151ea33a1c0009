import { failpoint } from '../../machine/failpoint.ts';
import type { Reason, StoredProposal } from '../../store/proposal-store.ts';
import type { ProposalState } from '../../trading/proposal.ts';
import { askedNow, isSecondToBeAsked } from '../asked-now.ts';
import type { PollResult } from '../asking-port.ts';
import type { ApprovalToken, Changes } from '../moves.ts';
import { questionOf } from '../question.ts';
import type { Attention } from './attention.ts';

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

/** What one wait keeps in mind between its polls. */
interface Wait {
  /** Seconds until the next poll. */
  pause: number;
  failures: number;
  polled: boolean;
  /** False where the provider would call, and has not: then its polls wait for their turn among all proposals. */
  called: boolean;
  uncalled: number;
  /** As the row had it at the last look, milliseconds since the epoch. */
  expiresAt: number;
}

/**
 * Waits until a proposal is no longer for the person to decide: one poll at a time, through network loss, sleep, 5xx and
 * slow_down, until the absolute deadline in the row; where the provider calls back, until it does. The token is sealed
 * in the row before anything else hears of it.
 * @throws the signal's reason, when the gateway closes first; the proposal then stays as it is
 */
export async function awaitDecision(attention: Attention, id: string): Promise<void> {
  const wait = await waitFor(attention, id);
  if (wait === undefined) return;
  // After a restart a call may have come while nobody listened: one poll as soon as the others let it.
  if (!wait.called && !attention.fresh) await takeTurn(attention, wait, 'restarted');
  for (;;) {
    attention.signal.throwIfAborted();
    // What is read of the proposal ends with each look: a wait keeps its times, and nothing else.
    const next = await look(attention, id, wait);
    if (next === 'over') return;
    if (next === 'polled') continue;
    wait.called = (await attention.rest(next)) || wait.called;
    if (!wait.called) await takeTurn(attention, wait, 'uncalled');
    wait.pause = 0;
  }
}

/** How a wait begins; undefined for a proposal that is not there. */
async function waitFor(attention: Attention, id: string): Promise<Wait | undefined> {
  const found = await attention.store.get(id);
  if (found === undefined) return undefined;
  const called = attention.asking.delivery !== 'ping' || attention.wasCalled(found);
  const uncalled = UNCALLED_SECONDS.first;
  const pause = Math.max(!called && attention.fresh ? uncalled : 0, pauseLeft(attention, found));
  return { pause, failures: 0, polled: false, called, uncalled, expiresAt: found.expiresAt };
}

/**
 * Seconds left of the pause after the last poll, when the wait starts again because something failed. Where the provider calls,
 * its call may have come in between: then no more than its interval is waited for.
 */
function pauseLeft({ lastPoll, clock, asking }: Attention, { authReqId, interval }: StoredProposal): number {
  if (lastPoll === undefined || lastPoll.authReqId !== authReqId) return 0;
  const pause = asking.delivery === 'ping' ? Math.min(lastPoll.pause, interval) : lastPoll.pause;
  return Math.max(0, pause - Math.max(0, clock.now() - lastPoll.at) / 1000);
}

/** Polls, where it is time to. @returns milliseconds to rest before the next look, where it is not */
async function look(attention: Attention, id: string, wait: Wait): Promise<'over' | 'polled' | number> {
  const { store, clock, asking } = attention;
  // A call about the owner's question must not have the second person's polled twice at once.
  if (wait.pause <= 0) attention.forgetNews();
  const proposal = await store.get(id);
  if (proposal?.state !== 'requested' || proposal.authReqId === undefined) return 'over';
  // The owner said yes: the other question is put first (second-person.ts).
  if (isSecondToBeAsked(proposal)) return 'over';
  const { authReqId, expiresAt } = proposal;
  wait.expiresAt = expiresAt;
  const left = expiresAt - clock.now();
  // Once after the deadline it is still asked: the person may have said no in time.
  if (left <= 0 && wait.polled) {
    await expire(attention, proposal);
    return 'over';
  }
  if (wait.pause > 0 && left > 0) return Math.min(wait.pause * 1000, left);
  wait.polled = true;
  const sentAt = { ms: clock.now() };
  const isThere = asking.delivery === 'ping' && wait.called;
  const result = await pollOnce(attention, proposal, authReqId, { sentAt, isThere });
  wait.pause = pauseAfter(attention, proposal, result, sentAt.ms, wait);
  attention.lastPoll = { authReqId, at: clock.now(), pause: wait.pause };
  if (await surely(attention, () => settle(attention, proposal, result))) return 'over';
  return 'polled';
}

async function takeTurn(attention: Attention, wait: Wait, why: 'uncalled' | 'restarted'): Promise<void> {
  const turn = attention.turn(why);
  const left = wait.expiresAt - attention.clock.now();
  if (turn > 0 && left > 0) wait.called = await attention.rest(Math.min(turn, left));
}

/** Seconds until the next poll. */
function pauseAfter(
  { clock, asking }: Attention,
  { interval }: StoredProposal,
  result: PollResult,
  sentAt: number,
  wait: Wait,
): number {
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
 * Takes an answer in, also while the gateway closes, and while the store is away for a moment: the provider gives a token once.
 * Where the store had it nevertheless, the next try finds that it has moved on.
 */
async function surely<T>(attention: Attention, work: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (tries > STORE_AWAY_S || attention.signal.aborted) throw error;
      await attention.clock.sleep(1_000);
    }
  }
}

/** Takes an answer in. True where there is nothing left to wait for. */
async function settle(attention: Attention, proposal: StoredProposal, result: PollResult): Promise<boolean> {
  const end = async (...to: Decision) => {
    failpoint('poll.answered');
    await decided(attention, proposal, ...to);
    failpoint('decision.recorded');
    return true;
  };
  switch (result.status) {
    case 'approved': {
      const token = { value: result.accessToken, expiresAt: result.expiresAt };
      failpoint('poll.answered');
      await decided(attention, proposal, ...saidYes(proposal, token));
      failpoint('approval.sealed');
      return true;
    }
    case 'denied':
      return await end('denied', { reason: { code: 'approval_denied', text: deniedText(proposal) } });
    case 'expired':
      await expire(attention, proposal);
      return true;
    case 'failed': {
      const text = `the identity provider refused: ${result.error}`;
      return await end('blocked', { reason: { code: 'provider_error', text } });
    }
    case 'lost': {
      // Whatever was decided, no token came of it here, so nothing can have been traded: they are asked once more.
      const isSecond = askedNow(proposal) !== proposal.sub;
      if (proposal.asked >= (isSecond ? MAX_ASKED + 1 : MAX_ASKED)) {
        const text = `the answer from the phone was lost ${MAX_ASKED} times`;
        return await end('blocked', { reason: { code: 'provider_error', text } });
      }
      const text = 'the answer from the phone was lost on its way; it is asked again';
      const reason: Reason = { code: 'answer_lost', text };
      // What the owner said stays; only the second person is asked again.
      const again = isSecond ? { authReqId: proposal.ownerAuthReqId ?? '', reason } : { reason };
      await decided(attention, proposal, isSecond ? 'requested' : 'drafted', again);
      failpoint('lost.drafted');
      return true;
    }
    case 'slow_down':
      await attention.store.setInterval(proposal.id, proposal.interval + SLOW_DOWN_SECONDS);
      return false;
    case 'pending':
    case 'unreachable':
      return false;
  }
}

function deniedText(proposal: StoredProposal): string {
  return askedNow(proposal) === proposal.sub
    ? 'denied on the phone'
    : 'the second person said no on their phone';
}

/** It is approved once the owner, and the second person where one is needed, said yes. */
function saidYes(proposal: StoredProposal, token: ApprovalToken): Decision {
  const { sub, second, authReqId = '' } = proposal;
  if (second === undefined) return ['approved', { token }];
  if (askedNow(proposal) !== sub) return ['approved', { secondToken: token }];
  return ['requested', { token, ownerAuthReqId: authReqId }];
}

async function expire(attention: Attention, proposal: StoredProposal): Promise<void> {
  failpoint('poll.answered');
  const reason: Reason = { code: 'approval_expired', text: 'nobody decided in time' };
  await decided(attention, proposal, 'expired', { reason });
  failpoint('decision.recorded');
}

type Decision = [to: ProposalState, changes: Changes];

/** Moves it where it still waits for the very question that was answered. A no counts, whichever time they were asked. */
async function decided(
  { moves, moved }: Attention,
  proposal: StoredProposal,
  ...[to, changes]: Decision
): Promise<void> {
  let after = await moves.move(proposal, to, changes);
  const isOpen = () => ['drafted', 'requested'].includes(after.proposal.state);
  while (to === 'denied' && after.outcome === 'stale' && isOpen()) {
    after = await moves.move(after.proposal, to, changes);
  }
  moved(after);
}

async function pollOnce(
  attention: Attention,
  proposal: StoredProposal,
  authReqId: string,
  { sentAt, isThere }: { readonly sentAt: { ms: number }; readonly isThere: boolean },
): Promise<PollResult> {
  const { asking, clock, signal } = attention;
  const left = Math.max(0, proposal.expiresAt - clock.now());
  const ended = new AbortController();
  const done = new AbortController();
  const endAfter = (ms: number) =>
    clock.sleep(ms, done.signal).then(
      () => ended.abort(),
      () => undefined,
    );
  const timer = endAfter(left + LAST_ANSWER_MS);
  // Withdrawn meanwhile: without this a long poll would sit it out. No AbortSignal.any with the gateway's own signal,
  // which lives long and keeps track of each that depends on it.
  attention.onBreakOff(() => {
    if (signal.aborted) void endAfter(isThere ? CLOSING_MS.called : CLOSING_MS.uncalled);
    else ended.abort();
  });
  try {
    const { details } = questionOf(attention, proposal);
    ended.signal.throwIfAborted();
    failpoint('poll.before_call');
    return await asking.poll(
      authReqId,
      { sub: askedNow(proposal), details, expiresAt: proposal.expiresAt },
      ended.signal,
      () => {
        sentAt.ms = clock.now();
      },
    );
  } catch {
    // The client promises not to throw for an answer; what is left (an abort, an unreadable key) is no decision.
    return { status: 'unreachable', reason: 'no answer' };
  } finally {
    attention.onBreakOff(undefined);
    done.abort();
    await timer;
  }
}
