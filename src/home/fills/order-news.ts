import type { UnexplainedOrder } from '../../gateway/orders/reconciliation.ts';
import type { StoredProposal } from '../../store/proposal-store.ts';
import { outcomeOrders } from '../../trading/kinds/kind-words.ts';
import { getKindDefinition } from '../../trading/kinds/kinds.ts';
import { describeOpenOrder } from '../../trading/open-order.ts';
import { subjectAccount } from '../../trading/proposal.ts';

/** Unexpected news about an order. The order's owner can still act on the news. */
export interface OrderNews {
  /** Identifies the news, so that it is sent only once. */
  readonly key: string;
  readonly user: string;
  readonly title: string;
  readonly body: string;
  /** RFC 3339. */
  readonly at: string;
  readonly facts: {
    readonly event: 'placed_late' | 'unexplained';
    readonly account: string | undefined;
    readonly order_ids: readonly string[];
    readonly proposal?: string;
    /** A sentence that says how the order exceeded its mandate. */
    readonly excess?: string;
  };
}

/** Returns news about an order that was reported as not placed but that reached the broker later. */
export function lateOrderNews(proposal: StoredProposal): OrderNews | undefined {
  const { id, sub, kind, state, reason, subject, result, updatedAt } = proposal;
  if (state !== 'executed' || reason?.code !== 'placed_late') return undefined;
  const orders = outcomeOrders(getKindDefinition(kind).toOutcome(result, subject));
  const excess = reason.members?.excess;
  return {
    key: JSON.stringify(['late', sub, id, orders.length]),
    user: sub,
    title: `Placed late: ${orders.map(describeOpenOrder).join(', ')}`,
    body: reason.text,
    at: new Date(updatedAt).toISOString(),
    facts: {
      event: 'placed_late',
      account: subjectAccount(subject)?.account,
      order_ids: orders.map((order) => order.id),
      proposal: id,
      ...(typeof excess === 'string' ? { excess } : {}),
    },
  };
}

export function unexplainedOrderNews({ sub, account, order }: UnexplainedOrder, now: number): OrderNews {
  return {
    key: JSON.stringify(['unexplained', sub, order.id]),
    user: sub,
    title: `Not in our records: ${describeOpenOrder(order)}`,
    body: "The broker has an open order with an ID that this home created, but no proposal matches the order. Cancel the order if you don't want it.",
    at: new Date(now).toISOString(),
    facts: { event: 'unexplained', account, order_ids: [order.id] },
  };
}
