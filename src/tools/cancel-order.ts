import { z } from 'zod';
import { defineTool, requireGateway } from './tool.ts';

/**
 * The gateway decides: cancelling an order that opens or adds reduces exposure and needs no approval; cancelling one
 * that protects a position does.
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
