import { isTradeAgentError, TradeAgentError } from '../trading/errors.ts';
import { failpoint } from '../trading/failpoint.ts';
import { requestApproval } from './approval-request.ts';
import type { Approval } from './approval-store.ts';
import { approvalDetails } from './approval-subject.ts';
import type { GraphEnvironment } from './graph-environment.ts';

/** Times the person is asked for one approval, when the answer keeps getting lost. */
const MAX_ASKED = 3;
/** CIBA Core §11: `slow_down` means five seconds more between polls, from then on. */
const SLOW_DOWN_SECONDS = 5;
/** Longest pause after the provider could not be reached. */
const MAX_BACKOFF_SECONDS = 30;
/** How long an answer may still come after the deadline: it tells a denial from an expiry. */
const LAST_ANSWER_MS = 5_000;
/** How long one look may take, where nobody waits: a provider that holds polls open answers what is decided at once. */
const LOOK_MS = 3_000;

export interface WaitOptions {
  /** Polls once and comes back, decided or not; what was lost is asked for again. */
  readonly once?: boolean;
}

/**
 * Waits until an approval is no longer for the person to decide: polls the identity provider, one poll at a time,
 * through network loss, sleep, 5xx and slow_down, until the absolute deadline in the row. Seals the token in the row
 * before anything else hears of it.
 * @throws the signal's reason, when the run ends first; the approval then stays pending
 */
export async function waitForDecision(
  environment: GraphEnvironment,
  id: string,
  signal: AbortSignal,
  options: WaitOptions = {},
): Promise<void> {
  const ended = new AbortController();
  const watched = AbortSignal.any([signal, ended.signal]);
  // A cancel from another process shows only in the row; without this look a long poll would sit it out.
  const unwatch = environment.approvals.watchCancelled(id, () => ended.abort());
  const polls: Polls = { last: undefined };
  try {
    await pollUntilDecided(environment, id, signal, watched, options, polls);
  } finally {
    unwatch();
    // The next wait keeps the interval too.
    if (polls.last !== undefined) environment.approvals.setPolled(id, polls.last);
  }
}

/** When the latest poll went out, milliseconds since the epoch. */
interface Polls {
  last: number | undefined;
}

/** Seconds to wait before the first poll, where an earlier wait polled less than an interval ago. */
function untilNextPoll({ approvals, clock }: GraphEnvironment, id: string): number {
  const { polledAt, interval } = approvals.get(id) as Approval;
  if (polledAt === undefined) return 0;
  // No longer than the interval, should the clock have been set back.
  return Math.min(interval, interval - (clock.now() - polledAt) / 1000);
}

async function pollUntilDecided(
  environment: GraphEnvironment,
  id: string,
  signal: AbortSignal,
  watched: AbortSignal,
  { once = false }: WaitOptions,
  polls: Polls,
): Promise<void> {
  const { approvals, clock, emit } = environment;
  // A wait before this one may have polled just now.
  let pause = untilNextPoll(environment, id);
  let failures = 0;
  let polled = false;
  for (;;) {
    signal.throwIfAborted();
    const approval = approvals.get(id) as Approval;
    if (approval.status === 'drafted') {
      await askAgain({ ...environment, signal }, id);
      pause = 0;
      continue;
    }
    const { authReqId } = approval;
    if (approval.status !== 'requested' || authReqId === undefined) return;
    const left = approval.expiresAt - clock.now();
    // A run that comes back after the deadline still asks once: the person may have said no in time.
    if (left <= 0 && polled) return expire(environment, id, { authReqId });
    if (once && polled) return;
    if (pause > 0 && left > 0) {
      try {
        await clock.sleep(Math.min(pause * 1000, left), watched);
      } catch (error) {
        if (signal.aborted) throw error;
      }
      pause = 0;
      continue;
    }

    polls.last = clock.now();
    polled = true;
    const result = await pollOnce(environment, approval, authReqId, watched, once, () => {
      polls.last = clock.now();
    });
    signal.throwIfAborted();
    const untilNext = () => (approvals.get(id)?.interval ?? 0) - (clock.now() - (polls.last ?? 0)) / 1000;
    if (result.status !== 'unreachable' && failures > 0) {
      failures = 0;
      emit({ type: 'notice', message: 'The identity provider answers again.' });
    }
    switch (result.status) {
      case 'approved':
        return approve(environment, id, { value: result.accessToken, expiresAt: result.expiresAt });
      case 'denied':
        // A no counts, whichever time they were asked.
        return finish(environment, id, 'denied', { code: 'approval_denied', text: 'denied on the phone' });
      case 'expired':
        return expire(environment, id, { authReqId });
      case 'failed':
        return finish(
          environment,
          id,
          'blocked',
          { code: 'provider_error', text: `the identity provider refused: ${result.error}` },
          { authReqId },
        );
      case 'lost':
        markLost(environment, id, { authReqId });
        break;
      case 'slow_down':
        approvals.setInterval(id, approval.interval + SLOW_DOWN_SECONDS);
        pause = Math.max(untilNext(), 0.001);
        break;
      case 'pending':
        pause = untilNext();
        break;
      case 'unreachable':
        // A poll that was broken off because the approval was taken back says nothing of the provider.
        if (watched.aborted) break;
        failures += 1;
        // Our own patience has a limit; what the provider asks for (its interval, Retry-After) has none but the deadline.
        pause = Math.max(
          Math.min(2 ** (failures - 1), MAX_BACKOFF_SECONDS),
          result.retryAfter ?? 0,
          untilNext(),
        );
        if (failures === 1) {
          emit({
            type: 'notice',
            message: once
              ? 'The identity provider cannot be reached; your decision is not known yet.'
              : 'The identity provider cannot be reached; still waiting for your decision.',
          });
        }
        break;
    }
  }
}

async function pollOnce(
  environment: GraphEnvironment,
  approval: Approval,
  authReqId: string,
  watched: AbortSignal,
  once: boolean,
  onSend: () => void,
) {
  const { clock, profile } = environment;
  const left = Math.max(0, approval.expiresAt - clock.now());
  const deadline = new AbortController();
  const done = new AbortController();
  const timer = clock
    .sleep(once ? LOOK_MS : left + LAST_ANSWER_MS, done.signal)
    .then(() => deadline.abort())
    .catch(() => undefined);
  try {
    const client = await environment.approvalClient();
    // Said again, since a process that resumes did not ask itself: approved details that differ are refused.
    const details = approvalDetails(approval, profile);
    failpoint('poll.before_call');
    return await client.poll(authReqId, AbortSignal.any([watched, deadline.signal]), details, onSend);
  } catch (error) {
    // The client promises not to throw for an answer; what is left (an abort, a locked key) is no decision.
    if (isTradeAgentError(error) && error.code !== 'provider_unreachable' && !watched.aborted) throw error;
    if (once && deadline.signal.aborted) return { status: 'pending' as const };
    return { status: 'unreachable' as const, reason: 'no answer' };
  } finally {
    done.abort();
    await timer;
  }
}

function approve(
  { approvals, changed }: GraphEnvironment,
  id: string,
  token: { value: string; expiresAt: number },
) {
  failpoint('poll.answered');
  const move = approvals.move(id, 'approved', { token }, { from: 'requested' });
  failpoint('approval.sealed');
  if (move.moved) changed(move.approval);
}

/** Which asking an answer is about: a process that stood still may hear of one after another has asked anew. */
interface Question {
  readonly authReqId?: string;
}

function finish(
  { approvals, changed }: GraphEnvironment,
  id: string,
  to: 'denied' | 'expired' | 'blocked',
  reason: { code: 'approval_denied' | 'approval_expired' | 'provider_error'; text: string },
  question: Question = {},
) {
  failpoint('poll.answered');
  const move = approvals.move(id, to, { reason }, { from: 'requested', ...question });
  failpoint('decision.recorded');
  if (move.moved) changed(move.approval);
}

function expire(environment: GraphEnvironment, id: string, question: Question) {
  const text = 'nobody decided in time';
  finish(environment, id, 'expired', { code: 'approval_expired', text }, question);
}

/**
 * The provider no longer knows the question, or gave its answer to a connection that broke. Whatever was decided, no
 * token came of it here, so nothing can have been traded: back to `drafted`, to ask again. Where another process was
 * faster, it is as that one left it.
 */
function markLost(environment: GraphEnvironment, id: string, question: Question): void {
  const { approvals, changed, emit } = environment;
  const approval = approvals.get(id) as Approval;
  if (approval.asked >= MAX_ASKED) {
    const text = `the answer from the phone was lost ${MAX_ASKED} times`;
    finish(environment, id, 'blocked', { code: 'provider_error', text }, question);
    return;
  }
  const move = approvals.move(id, 'drafted', {}, { from: 'requested', ...question });
  if (!move.moved) return;
  failpoint('lost.drafted');
  changed(move.approval);
  emit({
    type: 'notice',
    message: `The answer for ${approval.code} was lost on its way, so nothing came of it. Please approve it once more.`,
  });
}

async function askAgain(environment: GraphEnvironment, id: string): Promise<void> {
  try {
    await requestApproval(environment, id);
  } catch (error) {
    if (environment.signal.aborted) throw error;
    const { code, message } = isTradeAgentError(error)
      ? error
      : new TradeAgentError('internal', 'asking failed');
    const move = environment.approvals.move(
      id,
      'cancelled',
      {
        reason: { code, text: `you could not be asked again: ${message}` },
      },
      { from: 'drafted' },
    );
    if (move.moved) environment.changed(move.approval);
  }
}
