import { isTradeAgentError } from '../../trading/errors.ts';
import type { ProposalRequestInput } from '../../trading/proposal.ts';
import type { Order } from '../../trading/views.ts';
import type { App } from '../app.ts';
import { wholeId } from '../whole-id.ts';
import type { OrderOutcome } from './ask-for-order.ts';

/** The newest among which the beginning of an id is looked for: the most that a list has. */
const MOST = 500;

/** Newest first. @throws {TradeAgentError} `login_required` */
export async function listOrders(
  app: App,
  query: { readonly status: 'open' | 'closed' | 'all'; readonly limit: number },
): Promise<readonly Order[]> {
  return await (await app.gateway()).orders(query);
}

/**
 * The broker's id of an order of which the beginning was typed.
 * @throws {TradeAgentError} `usage` where several begin so; `login_required`
 */
export function orderIdOf(app: Pick<App, 'gateway'>, typed: string): Promise<string> {
  return wholeId(typed, {
    called: 'orders',
    whole: /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/,
    list: async () =>
      (await (await app.gateway()).orders({ status: 'all', limit: MOST })).flatMap(({ id, legs = [] }) => [
        id,
        ...legs.map((leg) => leg.id),
      ]),
  });
}

/** @param id the broker's, or its beginning @throws {TradeAgentError} `not_found`, `usage`, `login_required` */
export async function showOrder(app: Pick<App, 'gateway'>, id: string): Promise<Order> {
  return await (await app.gateway()).order(await orderIdOf(app, id));
}

/**
 * Cancels an order; one that protects a position only after its owner said yes.
 * @param id the broker's, or its beginning
 * @param ask puts the question to the owner
 * @returns the order as it is then (what has filled stays), and how it was asked for
 * @throws {TradeAgentError} `not_found`, `usage`, `gateway_refused`, and what `ask` throws
 */
export async function cancelOrder(
  app: Pick<App, 'gateway'>,
  id: string,
  ask: (request: ProposalRequestInput) => Promise<OrderOutcome>,
): Promise<OrderOutcome> {
  const gateway = await app.gateway();
  const whole = await orderIdOf(app, id);
  let outcome: OrderOutcome = { status: 'done', key: null, approval: null, order: null };
  try {
    await gateway.cancelOrder(whole);
  } catch (error) {
    if (!isTradeAgentError(error) || error.details.problem !== 'approval_required') throw error;
    outcome = await ask(cancelProposal(whole));
  }
  return outcome.status === 'done' ? { ...outcome, order: await gateway.order(whole) } : outcome;
}

function cancelProposal(order_id: string): ProposalRequestInput {
  return {
    kind: 'cancel',
    cancel: { order_id },
    requested_by: 'order cancel',
    provenance: { fields: { order_id: { source: 'user' } } },
  };
}
