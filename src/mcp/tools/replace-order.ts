import { splitAccountArgument } from '../../tools/account-argument.ts';
import { replaceOrder as agents, parseReplaceRequest } from '../../tools/replace-order.ts';
import { proposalOutput } from '../outputs/proposal.ts';
import { defineMcpTool } from './mcp-tool.ts';
import { submitProposal, withIdempotencyKey } from './propose.ts';

export const replaceOrder = defineMcpTool({
  name: agents.name,
  title: 'Propose to change an order',
  description: agents.description,
  schema: withIdempotencyKey(agents.schema.unwrap()),
  output: proposalOutput,
  scopes: ['orders:propose', 'orders:read'],
  effect: 'asks',
  async run(call, { idempotency_key, ...changes }) {
    const { args, account } = await splitAccountArgument(call.caller.gateway, changes);
    const replace = {
      ...parseReplaceRequest(args),
      ...(account === undefined ? {} : { account: account.account }),
    };
    return submitProposal(call, { kind: 'replace', replace }, replace, idempotency_key as string | undefined);
  },
});
