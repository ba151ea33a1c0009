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
    'approvalClient' | 'approvals' | 'clock' | 'profile' | 'changed' | 'signal'
  >,
  id: string,
): Promise<Approval> {
  const { approvals, clock, profile, changed } = environment;
  const approval = approvals.get(id) as Approval;
  if (approval.status !== 'drafted') return approval;
  const left = Date.parse(approval.draft.expires_at) - clock.now();
  if (left < SHORTEST_MS) {
    const move = approvals.move(id, 'expired', {
      reason: { code: 'approval_expired', text: 'the time to approve it ran out' },
    });
    if (move.moved) changed(move.approval);
    return move.approval;
  }
  const details = approvalDetails(approval, profile);
  const client = await environment.approvalClient();
  failpoint('request.before_call');
  const sent = await withRetries(environment, () =>
    client.request(details, approvalMessage(approval), Math.floor(left / 1000)),
  );
  failpoint('request.answered');
  const move = approvals.move(
    id,
    'requested',
    {
      authReqId: sent.authReqId,
      interval: sent.interval,
      expiresAt: Math.min(sent.expiresAt, Date.parse(approval.draft.expires_at)),
    },
    { from: 'drafted' },
  );
  failpoint('request.stored');
  if (move.moved) changed(move.approval);
  return move.approval;
}

async function withRetries<T>(
  { clock, signal }: Pick<GraphEnvironment, 'clock' | 'signal'>,
  attempt: () => Promise<T>,
): Promise<T> {
  for (const wait of BACKOFF_MS) {
    try {
      return await attempt();
    } catch (error) {
      if (!isTradeAgentError(error) || error.code !== 'provider_unreachable') throw error;
      await clock.sleep(wait, signal);
    }
  }
  return attempt();
}
