import { z } from 'zod';
import { withAccountArgument } from '../../tools/account-argument.ts';
import { checkRules } from '../../tools/check-rules.ts';
import { checkWashSale } from '../../tools/check-wash-sale.ts';
import { getActivities } from '../../tools/get-activities.ts';
import { getAsset } from '../../tools/get-asset.ts';
import { getBars } from '../../tools/get-bars.ts';
import { getCalendar } from '../../tools/get-calendar.ts';
import { getCorporateActions } from '../../tools/get-corporate-actions.ts';
import { getFindings } from '../../tools/get-findings.ts';
import { getMarketClock } from '../../tools/get-market-clock.ts';
import { getNews } from '../../tools/get-news.ts';
import { getOptionContracts } from '../../tools/get-option-contracts.ts';
import { getOrder } from '../../tools/get-order.ts';
import { getPerformance } from '../../tools/get-performance.ts';
import { getPortfolio } from '../../tools/get-portfolio.ts';
import { getQuote } from '../../tools/get-quote.ts';
import { getRealizedGains } from '../../tools/get-realized-gains.ts';
import { getRisk } from '../../tools/get-risk.ts';
import { getTaxLots } from '../../tools/get-tax-lots.ts';
import { getWatchlist } from '../../tools/get-watchlist.ts';
import { listAccounts } from '../../tools/list-accounts.ts';
import { listOrders } from '../../tools/list-orders.ts';
import { searchSymbols } from '../../tools/search-symbols.ts';
import { setWatchlist } from '../../tools/set-watchlist.ts';
import { suggestRebalance } from '../../tools/suggest-rebalance.ts';
import { type DirectTool, toolArgumentsSchema } from '../../tools/tool.ts';
import { whoami } from '../../tools/whoami.ts';
import { defined } from '../../values/defined.ts';
import { defineMcpTool, type McpTool } from './mcp-tool.ts';

/** Returns the portfolio in pages, because a hundred positions take about 5,000 tokens. */
const pagedPortfolio: DirectTool = {
  ...getPortfolio,
  schema: z.lazy(() =>
    toolArgumentsSchema(getPortfolio).extend({
      limit: z
        .number()
        .int()
        .min(1)
        .max(500)
        .default(100)
        .describe('Maximum number of positions in one result, sorted by symbol'),
    }),
  ),
};

/** The agent's read-only tools, and its tool that changes the watchlist. */
export const agentTools: readonly McpTool[] = [
  readingTool(whoami),
  readingTool(listAccounts),
  readingTool(withAccountArgument(getQuote)),
  readingTool(withAccountArgument(getBars)),
  readingTool({ ...getMarketClock, name: 'market_clock' }),
  readingTool(getCalendar),
  readingTool(searchSymbols),
  readingTool(withAccountArgument(getAsset)),
  readingTool(withAccountArgument(getOptionContracts)),
  readingTool(getNews),
  readingTool(getCorporateActions),
  readingTool(withAccountArgument(pagedPortfolio)),
  historyTool(withAccountArgument(getPerformance)),
  historyTool(withAccountArgument(getActivities)),
  historyTool(withAccountArgument(getRisk)),
  historyTool(withAccountArgument(getTaxLots)),
  historyTool(withAccountArgument(getRealizedGains)),
  historyTool(withAccountArgument(checkWashSale)),
  { ...readingTool(getFindings), needsOwnRules: true },
  readingTool(withAccountArgument(getWatchlist)),
  readingTool(withAccountArgument(listOrders)),
  readingTool(withAccountArgument(getOrder)),
  readingTool(withAccountArgument(checkRules)),
  readingTool(withAccountArgument(suggestRebalance)),
  // HTTP clients lack the scope of this tool, because only the owner's own programs may change the watchlist.
  { ...readingTool(withAccountArgument(setWatchlist)), effect: 'acts' },
];

const IMPORTS_NOT_INCLUDED =
  'activities that the owner imported from files ("trade-agent import") are stored on their own machine and are not included: this result uses only the broker’s data';

/** Adds a note to results that are based on activities, if they do not include the imported activities. */
function historyTool(tool: DirectTool): McpTool {
  const { run, ...rest } = readingTool(tool);
  return defineMcpTool({
    ...rest,
    async run(call, args) {
      const answer = await run(call, args);
      if (call.caller.hasImports || !('found' in answer)) return answer;
      return { ...answer, found: { ...answer.found, not_counted: IMPORTS_NOT_INCLUDED } };
    },
  });
}

function readingTool(tool: DirectTool): McpTool {
  return defineMcpTool({
    name: tool.name,
    title: tool.title,
    description: tool.description,
    schema: toolArgumentsSchema(tool),
    scopes: tool.scopes,
    effect: 'reads',
    async run({ caller }, args) {
      const { signedIn, gateway, ownRules } = caller;
      const { summary, content, outside } = await tool.execute({ session: signedIn, gateway, ownRules }, args);
      return {
        message: summary,
        found: JSON.parse(content) as Record<string, unknown>,
        ...defined({ outside }),
      };
    },
  });
}
