import { z } from 'zod';
import { defineTool, requireGateway } from './tool.ts';

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
    const kind = status === 'all' ? '' : `${status} `;
    return {
      summary: orders.length === 1 ? `1 ${kind}order` : `${orders.length} ${kind}orders`,
      content: JSON.stringify({ status, orders }),
    };
  },
});
