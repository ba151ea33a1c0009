import type { BackchannelAuthentication } from '../auth/ciba.ts';
import { isTradeAgentError } from '../trading/errors.ts';
import { failpoint } from '../trading/failpoint.ts';
import type { Approval } from './approval-store.ts';
import { approvalDetails, approvalMessage } from './approval-subject.ts';
import type { GraphEnvironment } from './graph-environment.ts';

/** With less than this left, nobody could read the order and decide: it counts as expired. */
const SHORTEST_MS = 5_000;
/** Waits between the tries, milliseconds; short, since somebody is watching. */
const BACKOFF_MS = [1_000, 2_000] as const;

/**
 * Asks the person on their phone (CIBA), and keeps the answer's id, interval and deadline in the row. Does nothing for
 * an approval that was asked already. Should the process die between the two, they are asked a second time; the first
 * question's token then reaches nobody.
 * @throws {TradeAgentError} what {@link ApprovalClient.request} throws
 */
export async function requestApproval(
  environment: Pick<
    GraphEnvironment,
    'approvalClient' | 'approvals' | 'clock' | 'profile' | 'changed' | 'emit' | 'signal'
  >,
  id: string,
): Promise<Approval> {
  const { approvals, clock, profile, changed, emit, signal } = environment;
  const approval = approvals.get(id) as Approval;
  if (approval.status !== 'drafted') return approval;
  const deadline = Date.parse(approval.draft.expires_at);
  if (deadline - clock.now() < SHORTEST_MS) {
    const move = approvals.move(id, 'expired', {
      reason: { code: 'approval_expired', text: 'the time to approve it ran out' },
    });
    if (move.moved) changed(move.approval);
    return move.approval;
  }
  const details = approvalDetails(approval, profile);
  const client = await environment.approvalClient();
  failpoint('request.before_call');
  let sent: BackchannelAuthentication | undefined;
  let told = false;
  for (let tries = 1; sent === undefined; tries++) {
    const left = deadline - clock.now();
    try {
      sent = await client.request(details, approvalMessage(approval), Math.floor(left / 1000));
    } catch (error) {
      if (!isTradeAgentError(error) || error.code !== 'provider_unreachable') throw error;
      const { retryAfter } = error.details;
      const wait = untilNextTry(tries, retryAfter);
      if (wait === undefined || clock.now() + wait > deadline - SHORTEST_MS) throw error;
      if (retryAfter !== undefined && !told) {
        told = true;
        emit({
          type: 'notice',
          message: `The identity provider takes no more questions for ${retryAfter} s; ${approval.code} is asked after that.`,
        });
      }
      await clock.sleep(wait, signal);
      // Taken back meanwhile, or asked by another process.
      const now = approvals.get(id) as Approval;
      if (now.status !== 'drafted') return now;
    }
  }
  failpoint('request.answered');
  const move = approvals.move(
    id,
    'requested',
    {
      authReqId: sent.authReqId,
      interval: sent.interval,
      expiresAt: Math.min(sent.expiresAt, deadline),
    },
    { from: 'drafted' },
  );
  failpoint('request.stored');
  if (move.moved) changed(move.approval);
  return move.approval;
}

/** Milliseconds; undefined where it is not tried again. @param retryAfter seconds, where the provider said so */
function untilNextTry(tries: number, retryAfter: unknown): number | undefined {
  if (typeof retryAfter !== 'number') return BACKOFF_MS[tries - 1];
  // A provider that says when it takes more (Auth0: five questions a minute) is asked then, as often as it says so.
  return Math.max(retryAfter * 1000, BACKOFF_MS[0]);
}
