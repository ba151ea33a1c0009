import { z } from 'zod';
import { TradeAgentError } from '../../errors/errors.ts';
import { proposalFacts } from '../answers/proposal-answer.ts';
import { proposalsOutput } from '../outputs/proposal.ts';
import { defineMcpTool } from './mcp-tool.ts';
import { proposalIdSchema } from './own-proposals.ts';

/** Number of proposals to fetch before filtering, because the gateway lists all clients' proposals. */
const MAX_FETCHED = 500;

export const listProposals = defineMcpTool({
  name: 'list_proposals',
  title: 'Proposals',
  description:
    'Lists this client’s proposals, newest first: those waiting for the owner’s decision (open), or all of them with their outcomes.',
  schema: z.strictObject({
    state: z.enum(['open', 'all']).default('open'),
    limit: z.number().int().min(1).max(50).default(20),
    cursor: proposalIdSchema.optional().describe('next_cursor of the previous page'),
  }),
  output: proposalsOutput,
  scopes: ['orders:read'],
  effect: 'reads',
  async run({ caller }, { state, limit, cursor }) {
    const listed = await caller.gateway.proposals({ state, limit: MAX_FETCHED });
    const own = listed.filter(caller.owns);
    const total = own.length;
    const isAll = listed.length < MAX_FETCHED;
    const place = cursor === undefined ? -1 : own.findIndex(({ id }) => id === cursor);
    if (cursor !== undefined && place === -1) throw unknownCursor();
    const rest = own.slice(place + 1);
    const shown = rest.slice(0, limit);
    const count =
      isAll && shown.length === total ? `${total}` : `${shown.length} of ${isAll ? '' : 'at least '}${total}`;
    const kind = state === 'open' ? 'open ' : '';
    return {
      message: `${count} ${kind}${total === 1 ? 'proposal' : 'proposals'}`,
      found: {
        state,
        total,
        ...(isAll ? {} : { total_is_minimum: true }),
        proposals: shown.map(proposalFacts),
        next_cursor: rest.length > shown.length ? (shown.at(-1)?.id ?? null) : null,
      },
    };
  },
});

/** Returns the error for a cursor whose proposal is no longer listed, for example because it was decided meanwhile. */
function unknownCursor(): TradeAgentError {
  return new TradeAgentError('usage', 'the cursor is no longer in this list', {
    hint: 'Omit the cursor to start with the newest proposal.',
  });
}
