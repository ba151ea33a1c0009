import { z } from 'zod';
import { describeOpenOrder } from '../trading/open-order.ts';
import { hasForeignOrders } from './list-orders.ts';
import { defineTool, requireGateway } from './tool.ts';

export const getOrder = defineTool({
  name: 'get_order',
  title: 'Read an order',
  description: 'Returns one order by its id: its terms, state, filled shares and average price (dollars per share).',
  schema: z.lazy(() =>
    z.strictObject({
      order_id: z.string().max(64).describe('An id from list_orders'),
    }),
  ),
  scopes: ['orders:read'],
  risk: 'read',
  async execute(context, { order_id }) {
    const gateway = requireGateway(context);
    const order = await gateway.order(order_id);
    const foreign = await hasForeignOrders(gateway, [order]);
    return {
      summary: `${describeOpenOrder(order)}: ${order.status.replaceAll('_', ' ')}`,
      content: JSON.stringify({ order }),
      ...(foreign ? { outside: 'orders from another app' } : {}),
    };
  },
});
