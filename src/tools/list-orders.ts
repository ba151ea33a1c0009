import { z } from 'zod';
import { defineTool, requireGateway } from './tool.ts';

/** Ids that can say nothing: the gateway's own, and the UUIDs that a broker makes. Any other app may write sentences. */
const speechless = /^(ta-[a-z2-7]{32}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

export const listOrders = defineTool({
  name: 'list_orders',
  description: 'The account’s orders, newest first, with id, state and what was filled.',
  schema: z.strictObject({
    status: z.enum(['open', 'closed', 'all']).default('open'),
    limit: z.number().int().min(1).max(100).default(50),
  }),
  scopes: ['orders:read'],
  risk: 'read',
  async execute(context, { status, limit }) {
    const orders = await requireGateway(context).orders({ status, limit });
    const foreign = orders.some(({ client_order_id }) => !speechless.test(client_order_id));
    const kind = status === 'all' ? '' : `${status} `;
    return {
      summary: orders.length === 1 ? `1 ${kind}order` : `${orders.length} ${kind}orders`,
      content: JSON.stringify({ status, orders }),
      ...(foreign ? { outside: 'orders of another app' } : {}),
    };
  },
});
