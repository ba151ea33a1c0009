import { isTradeAgentError } from '../../errors/errors.ts';
import { toProblemCode } from '../../errors/problem-codes.ts';
import { failpoint } from '../../machine/failpoint.ts';
import type { ProposalReason, StoredProposal } from '../../store/proposal-store.ts';
import { HttpProblem } from '../../trading/http-problem.ts';
import { findApprovingMandate, haltedReason, isAllowedDuringHalt } from '../access.ts';
import { denialFacts, mayBeAcceptedLater, refusedApprovalOutcome, verifyApprovalToken } from '../carry-out.ts';
import type { BackchannelAuthentication, CibaRequest, Outcome } from '../ciba/ciba-port.ts';
import { buildCibaRequest } from '../ciba-request.ts';
import type { KernelContext } from '../kernel-context.ts';
import { logDenial } from '../log-denial.ts';

/** Minimum time for a decision, in milliseconds. If less time is left, nobody is asked and the proposal expires. */
const MIN_DECISION_MS = 5_000;
/** Delays between attempts to send an approval request, in milliseconds. Short, because someone may be waiting. */
const SEND_RETRY_DELAYS_MS = [1_000, 2_000] as const;
/** Delay before verifying an owner's approval again, in milliseconds, if it could not be verified yet. */
const VERIFY_RETRY_MS = 2_000;

const withdrawnOutcome: Outcome = { state: 'cancelled', text: 'withdrawn' };

/**
 * Obtains the owner's approval of a drafted proposal: from a mandate that the owner granted, or by sending an approval
 * request to the owner's phone.
 * @param signal aborts when this process has to stop supervising the proposal
 */
export async function requestOwnerApproval(
  context: KernelContext,
  proposal: StoredProposal,
  signal: AbortSignal,
): Promise<void> {
  const { moves, halts } = context.parts;
  if (!isAllowedDuringHalt(proposal.kind) && (await halts.haltedAt(proposal.sub)) !== undefined) {
    context.announce(await moves.move(proposal, 'cancelled', { reason: haltedReason }));
  } else if (findApprovingMandate(proposal) !== undefined) {
    // The owner approved the proposal in advance by a mandate, so they are not asked, and there is no token.
    context.announce(await moves.move(proposal, 'approved'));
  } else await sendAndStoreQuestion(context, proposal, signal);
}

/*
 * If the owner's approval is not enough, a second approver is asked after them, in a separate question with exactly the
 * same details. Both sign one digest.
 *
 *  1. The proposal stays `requested` until both have approved. A denial by either, or the deadline, ends the proposal.
 *  2. The owner's approval is verified on arrival, signature included, because an invalid one must not make a second
 *     phone ring. It is then sealed in the row with its question's id, so that the row shows that the second approver
 *     is next.
 *  3. A gateway that takes over after a crash therefore asks the second approver (again, if need be), never the owner.
 *  4. Both are verified again before the execution. The owner's token may have expired by then; that is accepted,
 *     because it was verified in time. If the account can be accessed only with that token, nothing is sent, and the
 *     failure is reported.
 */

/**
 * Verifies the owner's approval, then asks the second approver.
 * @returns milliseconds until the next attempt; 0 if the proposal's state has changed
 */
export async function requestSecondApproval(
  context: KernelContext,
  proposal: StoredProposal,
  signal: AbortSignal,
): Promise<number> {
  const { moves, clock } = context.parts;
  try {
    await verifyApprovalToken(context.parts, proposal, 'owner', { isFirst: true });
  } catch (error) {
    const refusal = isTradeAgentError(error) ? new HttpProblem(500, toProblemCode(error), error.message) : error;
    if (!(refusal instanceof HttpProblem)) throw error;
    if (mayBeAcceptedLater(refusal) && clock.now() < proposal.deadline) return VERIFY_RETRY_MS;
    await logDenial(context.parts, denialFacts(proposal), refusal);
    const { to, reason } = refusedApprovalOutcome(refusal);
    context.announce(await moves.move(proposal, to, { reason }));
    return 0;
  }
  await sendAndStoreQuestion(context, proposal, signal);
  return 0;
}

/**
 * Sends a CIBA request to the next approver and stores its ID, interval and deadline in the row, unless the proposal
 * was settled or withdrawn in the meantime. If the gateway dies before it stores them, the person is asked a second
 * time. That is safe: nobody polls for the first request's token, and a provider that tracks proposal IDs replaces the
 * first request with the second.
 */
async function sendAndStoreQuestion(
  context: KernelContext,
  proposal: StoredProposal,
  signal: AbortSignal,
): Promise<void> {
  const { moves, asking, notificationTokens, acrFor } = context.parts;
  const { id, deadline } = proposal;
  const asked = proposal.asked + 1;
  const question = {
    ...buildCibaRequest(context.parts, proposal),
    acr: await acrFor?.(proposal),
    notificationToken: notificationTokens.of({ id, asked }),
  };
  failpoint('ask.before_call');
  const sent = await sendQuestion(context, proposal, question, signal);
  if (sent === undefined) return;
  failpoint('ask.answered');
  const { authReqId, interval } = sent;
  const expiresAt = Math.min(sent.expiresAt, deadline);
  const requested = await moves.move(proposal, 'requested', { authReqId, interval, expiresAt, asked });
  // The proposal was withdrawn while the person was being asked.
  if (requested.outcome !== 'moved') return void (await asking.reportOutcome(authReqId, withdrawnOutcome));
  context.announce(requested);
  failpoint('ask.stored');
}

/** Sends the request, retrying while the provider is unreachable. @returns undefined if the proposal has ended */
async function sendQuestion(
  context: KernelContext,
  proposal: StoredProposal,
  question: Omit<CibaRequest, 'expiresIn'>,
  signal: AbortSignal,
): Promise<BackchannelAuthentication | undefined> {
  const { store, moves, clock, asking } = context.parts;
  const { id, deadline, state } = proposal;
  for (let tries = 1; ; tries++) {
    const left = deadline - clock.now();
    if (left < MIN_DECISION_MS) {
      const whom = question.asked.sub === proposal.sub ? 'its owner' : 'the second approver';
      const text = `the time to approve the proposal ran out before ${whom} could be asked`;
      const reason: ProposalReason = { code: 'approval_expired', text };
      context.announce(await moves.move(proposal, 'expired', { reason }));
      return undefined;
    }
    try {
      return await asking.request({ ...question, expiresIn: Math.floor(left / 1000) });
    } catch (error) {
      signal.throwIfAborted();
      const wait = retryDelay(tries, error);
      if (wait === undefined || clock.now() + wait > deadline - MIN_DECISION_MS) {
        const reason = notAskedReason(proposal, question.asked.sub, error);
        context.announce(await moves.move(proposal, 'blocked', { reason }));
        return undefined;
      }
      await clock.sleep(wait, signal);
    }
    // The proposal was withdrawn meanwhile.
    if ((await store.get(id))?.state !== state) return undefined;
  }
}

/** Returns the delay before the next attempt, in milliseconds; undefined if there is no further attempt. */
function retryDelay(tries: number, error: unknown): number | undefined {
  if (!isTradeAgentError(error) || error.code !== 'provider_unreachable') return undefined;
  const { retryAfter } = error.details;
  // If the provider says when it accepts more requests (Auth0: five a minute), retries then, any number of times.
  if (typeof retryAfter === 'number') return Math.max(retryAfter * 1000, SEND_RETRY_DELAYS_MS[0]);
  return SEND_RETRY_DELAYS_MS[tries - 1];
}

function notAskedReason({ sub, second }: StoredProposal, asked: string, error: unknown): ProposalReason {
  const who = asked !== sub && asked === second ? 'the second approver' : 'the owner';
  return isTradeAgentError(error)
    ? { code: toProblemCode(error), text: `${who} could not be asked: ${error.message}` }
    : { code: 'provider_error', text: `${who} could not be asked` };
}
