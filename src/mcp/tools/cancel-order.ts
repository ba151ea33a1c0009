import { isTradeAgentError } from '../../errors/errors.ts';
import { accountArgument, splitAccountArgument } from '../../tools/account-argument.ts';
import { cancelOrder as agents } from '../../tools/cancel-order.ts';
import { toolArgumentsSchema } from '../../tools/tool.ts';
import { cancelOutput } from '../outputs/proposal.ts';
import { defineMcpTool } from './mcp-tool.ts';
import { submitProposal } from './propose.ts';

/** Cancels an order immediately if the order does not protect a position, and otherwise requests approval. */
export const cancelOrder = defineMcpTool({
  name: agents.name,
  title: 'Cancel an order',
  description: agents.description,
  schema: toolArgumentsSchema(agents).extend({ account: accountArgument }),
  output: cancelOutput,
  scopes: agents.scopes,
  effect: 'acts',
  async run(call, args) {
    const { signedIn } = call.caller;
    const { args: own, gateway, account } = await splitAccountArgument(call.caller.gateway, args);
    try {
      const { summary, order } = await agents.execute({ session: signedIn, gateway }, own);
      return { message: `${summary}.`, found: { order } };
    } catch (error) {
      const needsTap = isTradeAgentError(error) && error.details.problem === 'approval_required';
      if (!needsTap || !call.caller.scopes.has('orders:propose')) throw error;
      const cancel = {
        order_id: String(own.order_id),
        ...(account === undefined ? {} : { account: account.account }),
      };
      return submitProposal(call, { kind: 'cancel', cancel }, cancel);
    }
  },
});
