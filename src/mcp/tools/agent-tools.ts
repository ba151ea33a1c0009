import { z } from 'zod';
import { ofOneAccount } from '../../tools/account-argument.ts';
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

/** Pages the portfolio, because a hundred positions take about 5,000 tokens. */
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

/** The agent's own reading tools. */
export const agentTools: readonly McpTool[] = [
  read(whoami, 'Who is signed in'),
  read(listAccounts, 'Accounts'),
  read(ofOneAccount(getQuote), 'Quotes'),
  read(ofOneAccount(getBars), 'Price history'),
  read({ ...getMarketClock, name: 'market_clock' }, 'Market hours'),
  read(getCalendar, 'Trading days'),
  read(searchSymbols, 'Symbols by name'),
  read(ofOneAccount(getAsset), 'One security'),
  read(ofOneAccount(getOptionContracts), 'Option contracts'),
  read(getNews, 'News'),
  read(getCorporateActions, 'Dividends and splits'),
  read(ofOneAccount(pagedPortfolio), 'Portfolio'),
  readHistory(ofOneAccount(getPerformance), 'Performance'),
  readHistory(ofOneAccount(getActivities), 'Activities'),
  readHistory(ofOneAccount(getRisk), 'Risk'),
  readHistory(ofOneAccount(getTaxLots), 'Tax lots'),
  readHistory(ofOneAccount(getRealizedGains), 'Realized gains'),
  readHistory(ofOneAccount(checkWashSale), 'Wash sale'),
  { ...read(getFindings, 'Findings'), needsOwnRules: true },
  read(ofOneAccount(getWatchlist), 'Watchlist'),
  read(ofOneAccount(listOrders), 'Orders'),
  read(ofOneAccount(getOrder), 'One order'),
  read(ofOneAccount(checkRules), 'Limits and rules'),
  read(ofOneAccount(suggestRebalance), 'Rebalancing'),
  // HTTP clients lack its scope, because the watchlist is only for the owner's own programs.
  { ...read(ofOneAccount(setWatchlist), 'Change the watchlist'), effect: 'acts' },
];

const IMPORTS_NOT_INCLUDED =
  'activities that the owner imported from files ("trade-agent import") are stored on their own machine and are not included: this result uses only the broker’s data';

/** Adds a note to results based on activities if imported activities are missing from them. */
function readHistory(tool: DirectTool, title: string): McpTool {
  const { run, ...rest } = read(tool, title);
  return defineMcpTool({
    ...rest,
    async run(call, args) {
      const answer = await run(call, args);
      if (call.caller.hasImports || !('found' in answer)) return answer;
      return { ...answer, found: { ...answer.found, not_counted: IMPORTS_NOT_INCLUDED } };
    },
  });
}

function read(tool: DirectTool, title: string): McpTool {
  return defineMcpTool({
    name: tool.name,
    title,
    description: tool.description,
    schema: toolArgumentsSchema(tool),
    scopes: tool.scopes,
    effect: 'reads',
    async run({ caller }, args) {
      const { signedIn, gateway, ownRules } = caller;
      const { summary, content, outside } = await tool.execute(
        { session: signedIn, gateway, ownRules },
        args,
      );
      return {
        message: summary,
        found: JSON.parse(content) as Record<string, unknown>,
        ...defined({ outside }),
      };
    },
  });
}
