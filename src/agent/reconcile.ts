import { TradeAgentError } from '../trading/errors.ts';
import { isUnderWay } from './approval-states.ts';
import type { Approval } from './approval-store.ts';
import { ORDER_LEASE_MS, type OrderEnvironment, settleOrder } from './execute-node.ts';

/**
 * Asks what became of each order that was on its way when its run ended, under the approval's lease. Sends nothing: an
 * order that nobody knows stays `unknown` until its time is certainly over, and a resume of its thread sends it again.
 * @returns the approvals as they are then; one that another run is carrying out, unchanged
 */
export async function reconcileApprovals(
  environment: OrderEnvironment & { readonly holder: string },
  approvals: readonly Approval[],
): Promise<Approval[]> {
  const after: Approval[] = [];
  // One after the other: there are few, and the gateway has a limit.
  for (const approval of approvals) after.push(await reconcileOne(environment, approval));
  return after;
}

async function reconcileOne(
  environment: OrderEnvironment & { readonly holder: string },
  { id }: Approval,
): Promise<Approval> {
  const { approvals, holder } = environment;
  const leased = approvals.lease(id, holder, ORDER_LEASE_MS);
  if (leased === undefined) return approvals.get(id) ?? vanished(id);
  try {
    // Read under the lease: another process may have settled it in between.
    return isUnderWay(leased.status) ? await settleOrder(environment, leased, { resend: false }) : leased;
  } finally {
    approvals.release(id, holder);
  }
}

function vanished(id: string): never {
  throw new TradeAgentError('not_found', `there is no approval ${id}`, {
    hint: 'List them with "trade-agent approvals".',
  });
}
