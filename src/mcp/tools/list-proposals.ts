import { z } from 'zod';
import { proposalFacts } from '../answers/proposal-facts.ts';
import { defineMcpTool } from './mcp-tool.ts';

/** The gateway lists all of a person's, whichever client proposed them. */
const MOST_LOOKED_AT = 500;

export const listProposals = defineMcpTool({
  name: 'list_proposals',
  title: 'Proposals',
  description:
    'What was proposed by this client, newest first: what still waits for the owner’s phone (open), or all with what became of it.',
  schema: z.strictObject({
    state: z.enum(['open', 'all']).default('open'),
    limit: z.number().int().min(1).max(50).default(20),
  }),
  scopes: ['orders:read'],
  effect: 'reads',
  async run({ caller }, { state, limit }) {
    const all = await caller.gateway.proposals({ state, limit: MOST_LOOKED_AT });
    const own = all.filter(caller.owns).slice(0, limit);
    const kind = state === 'open' ? 'open ' : '';
    return {
      message: own.length === 1 ? `1 ${kind}proposal` : `${own.length} ${kind}proposals`,
      found: { state, proposals: own.map(proposalFacts) },
    };
  },
});
