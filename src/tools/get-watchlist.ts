import { z } from 'zod';
import { defineTool, formatCount, requireGateway } from './tool.ts';

export const getWatchlist = defineTool({
  name: 'get_watchlist',
  title: 'Read your watchlist',
  description: 'Returns the ticker symbols on the person’s watchlist at their broker, in order.',
  schema: z.strictObject({}),
  scopes: ['portfolio:read'],
  risk: 'read',
  async execute(context) {
    const watchlist = await requireGateway(context).watchlist();
    return { summary: describeWatchlist(watchlist.symbols), content: JSON.stringify({ watchlist }) };
  },
});

export function describeWatchlist(symbols: readonly string[]): string {
  if (symbols.length === 0) return 'The watchlist is empty';
  return `${formatCount(symbols.length, 'symbol')} on the watchlist: ${symbols.join(', ')}`;
}
