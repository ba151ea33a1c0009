import { exitCodeForRun } from '../../../app/exit-codes.ts';
import type { OrderOutcome } from '../../../app/orders/orders.ts';
import { type OrderRequestSettings, proposeOrder } from '../../../app/orders/place-order.ts';
import { toApprovalFields } from '../../../app/run.ts';
import type { ProposalRequestInput } from '../../../trading/proposal.ts';
import type { Context } from '../../context/context.ts';
import { printError } from '../../context/output.ts';
import { createApprovalListener } from '../../run/approval-progress.ts';

/** Makes a proposal and shows its outcome. @returns the exit code that a run would return */
export async function proposeAndShowOutcome(
  context: Context,
  work: (ask: (request: ProposalRequestInput) => Promise<OrderOutcome>) => Promise<OrderOutcome>,
  settings: OrderRequestSettings,
): Promise<number> {
  const { output } = context;
  const outcome = await work(async (request) =>
    proposeOrder(context, request, settings, await createApprovalListener(context)),
  );
  const { approval, order } = outcome;
  const object = { ...outcome, approval: approval === null ? null : toApprovalFields(approval) };
  await output.result('order-outcome', object, async () => {
    if (order === null) return '';
    const { orderText } = await import('../../text/reports.ts');
    const { toAudience } = await import('../../text/audience.ts');
    return orderText(order, toAudience(context.io));
  });
  if (output.format === 'text') printPending(context, outcome);
  return exitCodeForRun(outcome);
}

function printPending({ io, profileOptions }: Context, { status, approval, error, key }: OrderOutcome): void {
  if (error !== undefined) printError(io, error);
  if (approval === null) return;
  const profile = profileOptions.map((word) => ` ${word}`).join('');
  if (status === 'pending') {
    io.talk(`still pending; wait with: trade-agent approvals wait ${approval.id}${profile}`);
    io.talk('approving it still places the order, even without this terminal; to withdraw it:');
    io.talk(`  trade-agent approvals cancel ${approval.id}${profile}`);
  } else if (status === 'unknown') {
    io.talk(`look up its outcome with: trade-agent approvals reconcile ${approval.id}${profile}`);
    io.talk(`or run this command again with --key ${key}; it is not ordered twice`);
  }
}
