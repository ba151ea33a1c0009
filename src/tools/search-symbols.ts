import { z } from 'zod';
import { safeLine } from '../text/sanitize.ts';
import { defineTool, requireGateway } from './tool.ts';

const MAX_QUERIES = 20;

export const searchSymbols = defineTool({
  name: 'search_symbols',
  title: 'Search for a symbol',
  description:
    'Finds ticker symbols of US stocks and funds by name or symbol, best match first, among those that the account’s broker trades.',
  schema: z.lazy(() =>
    z.strictObject({
      queries: z
        .array(z.string().trim().min(1).max(100))
        .min(1)
        .max(MAX_QUERIES)
        .describe('Names such as "apple", each looked up separately'),
    }),
  ),
  scopes: ['market:read'],
  risk: 'read',
  async execute(context, { queries }) {
    const gateway = requireGateway(context);
    const results = await Promise.all(
      queries.map(async (query) => ({
        query,
        assets: (await gateway.searchAssets(query)).map(({ symbol, name }) => ({
          symbol,
          name: safeLine(name, 80),
        })),
      })),
    );
    const found = results.map(({ query, assets }) => `${safeLine(query, 40)}: ${assets[0]?.symbol ?? 'none'}`);
    return { summary: found.join(', '), content: JSON.stringify({ results }) };
  },
});
