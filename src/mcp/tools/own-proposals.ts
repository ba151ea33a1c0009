import { z } from 'zod';
import { TradeAgentError } from '../../errors/errors.ts';
import type { Proposal } from '../../trading/proposal.ts';
import type { McpCaller } from '../mcp-caller.ts';

/** Returns this client's own proposal. @throws {TradeAgentError} `not_found`, also for another client's proposal */
export async function requireOwnProposal({ gateway, owns }: McpCaller, id: string): Promise<Proposal> {
  const proposal = await gateway.proposal(id).catch((error: unknown) => {
    throw error instanceof TradeAgentError && error.code === 'not_found' ? unknownProposal() : error;
  });
  if (!owns(proposal)) throw unknownProposal();
  return proposal;
}

function unknownProposal(): TradeAgentError {
  return new TradeAgentError('not_found', 'you have no such proposal', {
    hint: 'Use the proposal_id of an earlier result, or call list_proposals.',
  });
}

/** The ID of a proposal and of its task. */
export const proposalIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be the proposal_id of an earlier result')
  .describe('The proposal_id of an earlier result');
