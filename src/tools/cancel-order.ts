import { z } from 'zod';
import { defineTool, requireGateway } from './tool.ts';

/**
 * Cancelling what opens or adds makes the account's exposure smaller: the session's own scope is enough. The gateway
 * decides; an order that protects a position is cancelled only with the person's approval.
 */
export const cancelOrder = defineTool({
  name: 'cancel_order',
  description:
    'Cancels one open order by its id. Where the order protects a position the person is asked on their phone first.',
  schema: z.lazy(() => z.strictObject({ order_id: z.string().describe('The id that list_orders gave') })),
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
