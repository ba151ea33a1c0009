import { z } from 'zod';
import { proposalOutput } from '../outputs/proposal.ts';
import { defineMcpTool } from './mcp-tool.ts';
import { proposalIdSchema, requireOwnProposal } from './own-proposals.ts';

export const withdrawProposal = defineMcpTool({
  name: 'withdraw_proposal',
  title: 'Withdraw a proposal',
  description:
    'Withdraws a proposal that the owner has not decided yet, and removes it from their phone. It cannot cancel an order that was placed.',
  schema: z.strictObject({ proposal_id: proposalIdSchema }),
  output: proposalOutput,
  scopes: ['orders:propose', 'orders:read'],
  effect: 'asks',
  async run({ caller }, { proposal_id }) {
    await requireOwnProposal(caller, proposal_id);
    return { proposal: await caller.gateway.withdraw(proposal_id), isAsked: false };
  },
});
