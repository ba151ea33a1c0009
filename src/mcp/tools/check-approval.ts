import { z } from 'zod';
import { isSettledState } from '../../trading/proposal.ts';
import { proposalOutput } from '../outputs/proposal.ts';
import { defineMcpTool } from './mcp-tool.ts';
import { proposalIdSchema, requireOwnProposal } from './own-proposals.ts';

export const checkApproval = defineMcpTool({
  name: 'check_approval',
  title: 'Has the owner decided?',
  description:
    'Returns the state of a proposal: whether the owner has decided on their phone, and the outcome. With wait_seconds the response is held until something changes, for at most 4 seconds if the client does not request progress.',
  schema: z.strictObject({
    proposal_id: proposalIdSchema,
    wait_seconds: z.number().int().min(0).max(25).default(20),
  }),
  output: proposalOutput,
  scopes: ['orders:read'],
  effect: 'reads',
  async run({ caller, signal, holdMs }, { proposal_id, wait_seconds }) {
    const seen = await requireOwnProposal(caller, proposal_id);
    const waitSeconds = Math.min(wait_seconds, Math.round(holdMs() / 1_000));
    if (waitSeconds === 0 || isSettledState(seen.state)) return { proposal: seen, isAsked: false };
    const look = { waitSeconds, since: seen.updated_at, signal };
    return { proposal: await caller.gateway.proposal(proposal_id, look), isAsked: false };
  },
});
