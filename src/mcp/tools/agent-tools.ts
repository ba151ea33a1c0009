import type { z } from 'zod';
import { getBars } from '../../tools/get-bars.ts';
import { getMarketClock } from '../../tools/get-market-clock.ts';
import { getPortfolio } from '../../tools/get-portfolio.ts';
import { getQuote } from '../../tools/get-quote.ts';
import { listOrders } from '../../tools/list-orders.ts';
import { searchSymbols } from '../../tools/search-symbols.ts';
import type { DirectTool } from '../../tools/tool.ts';
import { whoami } from '../../tools/whoami.ts';
import { defineMcpTool, type McpTool } from './mcp-tool.ts';

/** What the agent's own tools read, by the very same definition. */
export const agentTools: readonly McpTool[] = [
  read(whoami, 'Who is signed in'),
  read(getQuote, 'Quotes'),
  read(getBars, 'Price history'),
  read({ ...getMarketClock, name: 'market_clock' }, 'Market hours'),
  read(searchSymbols, 'Symbols by name'),
  read(getPortfolio, 'Portfolio'),
  read(listOrders, 'Orders'),
];

function read(tool: DirectTool, title: string): McpTool {
  return defineMcpTool({
    name: tool.name,
    title,
    description: tool.description,
    schema: tool.schema as z.ZodObject,
    scopes: tool.scopes,
    effect: 'reads',
    async run({ caller }, args) {
      const { signedIn, gateway } = caller;
      const { summary, content, outside } = await tool.execute({ session: signedIn, gateway }, args);
      return {
        message: summary,
        found: JSON.parse(content) as Record<string, unknown>,
        ...(outside === undefined ? {} : { outside }),
      };
    },
  });
}
