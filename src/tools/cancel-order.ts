import { z } from 'zod';
import { defineTool, requireGateway } from './tool.ts';

/** Cancelling makes the account's exposure smaller, so the session's own scope is enough. */
export const cancelOrder = defineTool({
  name: 'cancel_order',
  description: 'Cancels one open order by its id. Needs no approval.',
  schema: z.strictObject({ order_id: z.string().describe('The id that list_orders gave') }),
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
