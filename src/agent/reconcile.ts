import { TradeAgentError } from '../trading/errors.ts';
import { isUnderWay } from './approval-states.ts';
import type { Approval } from './approval-store.ts';
import { ofKind } from './approvals-of-kind.ts';
import { EXECUTION_LEASE_MS } from './carry-out.ts';
import { settleMessage } from './execute-message-node.ts';
import { settleOrder } from './execute-node.ts';
import type { GraphEnvironment } from './graph-environment.ts';

type ReconcileEnvironment = Pick<
  GraphEnvironment,
  'approvals' | 'changed' | 'clock' | 'emit' | 'holder' | 'orderGateway'
>;

/**
 * Asks what became of each order that was on its way when its run ended, under the approval's lease. Sends nothing: an
 * order that nobody knows stays `unknown` until its time is certainly over, and a resume of its thread sends it again.
 * @returns the approvals as they are then; one that another run is carrying out, unchanged
 */
export async function reconcileApprovals(
  environment: ReconcileEnvironment,
  approvals: readonly Approval[],
): Promise<Approval[]> {
  const after: Approval[] = [];
  // One after the other: there are few, and the gateway has a limit.
  for (const approval of approvals) after.push(await reconcileOne(environment, approval));
  return after;
}

async function reconcileOne(environment: ReconcileEnvironment, { id }: Approval): Promise<Approval> {
  const { approvals, holder } = environment;
  const leased = approvals.lease(id, holder, EXECUTION_LEASE_MS);
  if (leased === undefined) return approvals.get(id) ?? vanished(id);
  try {
    // Read under the lease: another process may have settled it in between.
    if (!isUnderWay(leased.status)) return leased;
    return leased.kind === 'message'
      ? await settleMessage({ ...environment, approvals: ofKind(approvals, 'message') }, leased, noResend)
      : await settleOrder({ ...environment, approvals: ofKind(approvals, 'order') }, leased, noResend);
  } finally {
    approvals.release(id, holder);
  }
}

const noResend = { resend: false } as const;

function vanished(id: string): never {
  throw new TradeAgentError('not_found', `there is no approval ${id}`, {
    hint: 'List them with "trade-agent approvals".',
  });
}
