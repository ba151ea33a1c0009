import { splitAccountArgument } from '../../tools/account-argument.ts';
import { closePosition as agents, readClosingOrder } from '../../tools/close-position.ts';
import { proposalOutput } from '../outputs/proposal.ts';
import { defineMcpTool } from './mcp-tool.ts';
import { submitProposal, withIdempotencyKey } from './propose.ts';
import { clientIdempotencyKey } from './retries.ts';

export const closePosition = defineMcpTool({
  name: agents.name,
  title: 'Propose to close a position',
  description: agents.description,
  schema: withIdempotencyKey(agents.schema.unwrap()),
  output: proposalOutput,
  scopes: ['orders:propose', 'portfolio:read', 'orders:read'],
  effect: 'asks',
  async run(call, { idempotency_key, ...args }) {
    const { gateway, environment } = call.caller;
    const key = idempotency_key as string | undefined;
    // If the client repeats the call, the position may have changed, so the earlier order is found by the client's key.
    const earlier = key === undefined ? undefined : await gateway.proposed(clientIdempotencyKey(key));
    if (earlier?.kind === 'order' && earlier.subject.symbol === String(args.symbol).toUpperCase()) {
      return { proposal: earlier, isAsked: true };
    }
    const { args: own, account, gateway: ofAccount } = await splitAccountArgument(gateway, args);
    const { order: closing } = await readClosingOrder(own, ofAccount);
    const order = { ...closing, ...(account === undefined ? {} : { account: account.account }) };
    return submitProposal(call, { kind: 'order', order: { ...order, environment } }, order, key);
  },
});
