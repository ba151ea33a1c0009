import { splitAccountArgument } from '../../tools/account-argument.ts';
import { placeOrder as agents, parseOrderRequest } from '../../tools/place-order.ts';
import { proposalOutput } from '../outputs/proposal.ts';
import { defineMcpTool } from './mcp-tool.ts';
import { submitProposal, withIdempotencyKey } from './propose.ts';

export const placeOrder = defineMcpTool({
  name: agents.name,
  title: 'Propose an order',
  description: agents.description,
  schema: withIdempotencyKey(agents.schema.unwrap()),
  output: proposalOutput,
  scopes: ['orders:propose', 'orders:read'],
  effect: 'asks',
  async run(call, { idempotency_key, ...args }) {
    const { args: own, account } = await splitAccountArgument(call.caller.gateway, args);
    const order = {
      ...parseOrderRequest(own),
      ...(account === undefined ? {} : { account: account.account }),
    };
    const { environment } = call.caller;
    return submitProposal(call, { kind: 'order', order: { ...order, environment } }, order, idempotency_key);
  },
});
