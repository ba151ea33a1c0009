import type { z } from 'zod';
import { cancelOrder as agents } from '../../tools/cancel-order.ts';
import { isTradeAgentError } from '../../trading/errors.ts';
import { defineMcpTool } from './mcp-tool.ts';
import { propose } from './propose.ts';

/** At once where nothing is protected by the order; else a question to the person. */
export const cancelOrder = defineMcpTool({
  name: agents.name,
  title: 'Cancel an order',
  description: agents.description,
  schema: agents.schema as z.ZodObject,
  scopes: agents.scopes,
  effect: 'acts',
  async run(call, args) {
    const { signedIn, gateway } = call.caller;
    try {
      const { summary, order } = await agents.execute({ session: signedIn, gateway }, args);
      return { message: `${summary}.`, found: { order } };
    } catch (error) {
      const needsTap = isTradeAgentError(error) && error.details.problem === 'approval_required';
      if (!needsTap || !call.caller.scopes.has('orders:propose')) throw error;
      const cancel = { order_id: String(args.order_id) };
      return propose(call, { kind: 'cancel', cancel }, cancel);
    }
  },
});
