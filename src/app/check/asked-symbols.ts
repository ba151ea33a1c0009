import type { ApprovalView } from '../../agent/events.ts';

/** The symbols that an approval would trade. */
export function askedSymbols(approval: ApprovalView): string[] {
  if (approval.kind === 'order') return [approval.order.symbol];
  return approval.kind === 'batch' ? approval.batch.orders.map(({ symbol }) => symbol) : [];
}
