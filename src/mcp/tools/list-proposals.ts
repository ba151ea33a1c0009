import { z } from 'zod';
import { pageAfter } from '../../tools/pages.ts';
import { symbolSchema } from '../../trading/order.ts';
import type { Proposal } from '../../trading/proposal.ts';
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
    symbol: symbolSchema.optional(),
    limit: z.number().int().min(1).max(50).default(20),
    cursor: proposalIdSchema.optional().describe('next_cursor of the previous page'),
  }),
  output: proposalsOutput,
  scopes: ['orders:read'],
  effect: 'reads',
  async run({ caller }, { state, symbol, limit, cursor }) {
    const listed = await caller.gateway.proposals({ state, limit: MAX_FETCHED });
    const own = listed.filter((one) => caller.owns(one) && (symbol === undefined || proposalSymbol(one) === symbol));
    const { page, total, next_cursor } = pageAfter(own, ({ id }) => id, { limit, cursor });
    const isAll = listed.length < MAX_FETCHED;
    const count = isAll && page.length === total ? `${total}` : `${page.length} of ${isAll ? '' : 'at least '}${total}`;
    const kind = state === 'open' ? 'open ' : '';
    const of = symbol === undefined ? '' : ` for ${symbol}`;
    return {
      message: `${count} ${kind}${total === 1 ? 'proposal' : 'proposals'}${of}`,
      found: {
        state,
        total,
        ...(isAll ? {} : { total_is_minimum: true }),
        proposals: page.map(proposalFacts),
        next_cursor,
      },
    };
  },
});

/** Returns the symbol of the proposed order, change or cancellation; undefined for other kinds. */
function proposalSymbol({ kind, subject }: Proposal): string | undefined {
  switch (kind) {
    case 'order':
      return subject.symbol;
    case 'replace':
      return subject.draft.symbol;
    case 'cancel':
      return subject.order.symbol;
    default:
      return undefined;
  }
}
