import { z } from 'zod';
import { defineTool, requireGateway } from './tool.ts';

/** Cancels an order. The gateway requires approval only if the order protects a position. */
export const cancelOrder = defineTool({
  name: 'cancel_order',
  title: 'Cancel an order',
  description:
    'Cancels one open order by its id. If the order protects a position, the person is asked on their phone first.',
  schema: z.lazy(() => z.strictObject({ order_id: z.string().describe('An id from list_orders') })),
  scopes: ['orders:cancel', 'orders:read'],
  risk: 'reduce',
  async execute(context, { order_id }) {
    const order = await requireGateway(context).cancelOrder(order_id);
    return {
      summary: `${order.side} ${order.symbol} is ${order.status}`,
      content: JSON.stringify({ order }),
      order,
    };
  },
});
