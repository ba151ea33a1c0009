import { isTradeAgentError } from '../../errors/errors.ts';
import { isSettledState, type Proposal } from '../../trading/proposal.ts';
import { proposalAnswer, proposalMessage } from '../answers/proposal-answer.ts';
import type { McpCaller } from '../mcp-caller.ts';
import { ownProposal } from '../tools/own-proposals.ts';
import type { Task, TaskSource } from './tasks.ts';

/** A lower bound: proposals are kept forever. */
const KEPT_MS = 30 * 24 * 3_600_000;
const POLL_MS = 2_000;

/**
 * A proposal is its own task under its own id: it was stored before anybody heard of it, and outlives client and
 * gateway.
 */
export function taskOf(proposal: Proposal, { environment }: Pick<McpCaller, 'environment'>): Task {
  const { state, created_at, updated_at } = proposal;
  const base = {
    statusMessage: proposalMessage(proposal),
    createdAt: created_at,
    lastUpdatedAt: updated_at.replace(/#.*/, ''),
    ttlMs: KEPT_MS,
    pollIntervalMs: POLL_MS,
  };
  if (!isSettledState(state)) return { status: 'working', ...base };
  if (state === 'cancelled') return { status: 'cancelled', ...base };
  return { status: 'completed', ...base, result: proposalAnswer(proposal, environment, true) };
}

export function proposalTasks(caller: McpCaller): TaskSource {
  const find = async (id: string) => {
    try {
      return await ownProposal(caller, id);
    } catch (error) {
      if (isTradeAgentError(error) && error.code === 'not_found') return undefined;
      throw error;
    }
  };
  return {
    async get(id) {
      const proposal = await find(id);
      return proposal && taskOf(proposal, caller);
    },
    async cancel(id) {
      if ((await find(id)) === undefined) return false;
      try {
        await caller.gateway.withdraw(id);
      } catch (error) {
        // Too late; the next look tells the outcome.
        const isOver =
          isTradeAgentError(error) &&
          (error.code === 'outcome_unknown' || error.details.problem === 'proposal_settled');
        if (!isOver) throw error;
      }
      return true;
    },
    // A proposal waits for its owner, never for the client.
    update: async (id) => (await find(id)) !== undefined,
  };
}
