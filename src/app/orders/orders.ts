import { isTradeAgentError } from '../../trading/errors.ts';
import type { ProposalRequestInput } from '../../trading/proposal.ts';
import type { Order } from '../../trading/views.ts';
import type { App } from '../app.ts';

/** Newest first. @throws {TradeAgentError} `login_required` */
export async function listOrders(
  app: App,
  query: { readonly status: 'open' | 'closed' | 'all'; readonly limit: number },
): Promise<readonly Order[]> {
  return await (await app.gateway()).orders(query);
}

/** @param id the broker's @throws {TradeAgentError} `not_found`, `login_required` */
export async function showOrder(app: App, id: string): Promise<Order> {
  return await (await app.gateway()).order(id);
}

/**
 * Cancels an order; one that protects a position only after its owner said yes.
 * @param ask puts the question to the owner, and resolves once the order is cancelled
 * @returns the order as it is then: what has filled stays
 * @throws {TradeAgentError} `not_found`, `gateway_refused`, and what `ask` throws
 */
export async function cancelOrder(
  app: App,
  id: string,
  ask: (request: ProposalRequestInput) => Promise<unknown>,
): Promise<Order> {
  const gateway = await app.gateway();
  try {
    await gateway.cancelOrder(id);
  } catch (error) {
    if (!isTradeAgentError(error) || error.details.problem !== 'approval_required') throw error;
    await ask({ kind: 'cancel', cancel: { order_id: id }, requested_by: 'orders cancel' });
  }
  return await gateway.order(id);
}
