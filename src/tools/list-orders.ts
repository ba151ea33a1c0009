import { z } from 'zod';
import type { Proposal } from '../trading/proposal.ts';
import type { Order } from '../trading/views.ts';
import type { GatewayClient } from './gateway/gateway-client.ts';
import { defineTool, requireGateway } from './tool.ts';

/** Ids that can say nothing: a broker makes them where nobody else does. */
const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The gateway's own ids are known by its proposals; an older order counts as another app's. */
const MOST_PROPOSALS = 500;

export const listOrders = defineTool({
  name: 'list_orders',
  description: 'The account’s orders, newest first, with id, state and what was filled.',
  schema: z.lazy(() =>
    z.strictObject({
      status: z.enum(['open', 'closed', 'all']).default('open'),
      limit: z.number().int().min(1).max(100).default(50),
    }),
  ),
  scopes: ['orders:read'],
  risk: 'read',
  async execute(context, { status, limit }) {
    const gateway = requireGateway(context);
    const orders = await gateway.orders({ status, limit });
    const foreign = await anyForeign(gateway, orders);
    const kind = status === 'all' ? '' : `${status} `;
    return {
      summary: orders.length === 1 ? `1 ${kind}order` : `${orders.length} ${kind}orders`,
      content: JSON.stringify({ status, orders }),
      ...(foreign ? { outside: 'orders of another app' } : {}),
    };
  },
});

/** Whether another app has named one of the orders: an id of its choice may hold a sentence. */
export async function anyForeign(gateway: GatewayClient, orders: readonly Order[]): Promise<boolean> {
  const named = orders.map(({ client_order_id }) => client_order_id).filter((id) => !uuid.test(id));
  if (named.length === 0) return false;
  const proposals = await gateway.proposals({ state: 'all', limit: MOST_PROPOSALS });
  const own = new Set(proposals.flatMap(idsOf));
  return named.some((id) => !own.has(id));
}

/** The ids of the orders that a proposal is of; a change puts a new one in place of the old. */
function idsOf({ kind, subject }: Proposal): string[] {
  switch (kind) {
    case 'order':
      return [subject.client_order_id];
    case 'replace':
      return [subject.draft.client_order_id];
    case 'batch':
      return subject.orders.map(({ client_order_id }) => client_order_id);
    default:
      return [];
  }
}
