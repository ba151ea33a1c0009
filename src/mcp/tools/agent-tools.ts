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
import { withBarColumns, withPerformanceColumns } from '../answers/columns.ts';
import {
  accountsOutput,
  activitiesOutput,
  findingsOutput,
  orderOutput,
  ordersOutput,
  performanceOutput,
  portfolioOutput,
  realizedGainsOutput,
  rebalanceOutput,
  riskOutput,
  rulesOutput,
  sessionOutput,
  taxLotsOutput,
  washSaleOutput,
  watchlistOutput,
} from '../outputs/account.ts';
import {
  assetOutput,
  barsOutput,
  calendarOutput,
  clockOutput,
  corporateActionsOutput,
  newsOutput,
  optionContractsOutput,
  quotesOutput,
  symbolsOutput,
} from '../outputs/market.ts';
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

const bars: DirectTool = {
  ...getBars,
  description: `${getBars.description} In columns: the nth value of each list belongs to the nth bar.`,
};

const performance: DirectTool = {
  ...getPerformance,
  description: getPerformance.description.replace(
    'at the end of each day.',
    'at the end of each day, both in columns.',
  ),
};

/** Suggests a rebalancing. MCP clients place each order separately, because they have no tool for several orders. */
const rebalancing: DirectTool = {
  ...suggestRebalance,
  description:
    'Returns the fewest orders that bring the account to its targets by symbol: sales first, then purchases with the available cash. It proposes nothing: pass each of its "orders" to place_order. Symbols without a target stay as they are.',
};

/** The agent's read-only tools, and its tool that changes the watchlist. */
export const agentTools: readonly McpTool[] = [
  readingTool(whoami, sessionOutput),
  readingTool(listAccounts, accountsOutput),
  readingTool(withAccountArgument(getQuote), quotesOutput),
  readingTool(withAccountArgument(bars), barsOutput, withBarColumns),
  readingTool({ ...getMarketClock, name: 'market_clock' }, clockOutput),
  readingTool(getCalendar, calendarOutput),
  readingTool(searchSymbols, symbolsOutput),
  readingTool(withAccountArgument(getAsset), assetOutput),
  readingTool(withAccountArgument(getOptionContracts), optionContractsOutput),
  readingTool(getNews, newsOutput),
  readingTool(getCorporateActions, corporateActionsOutput),
  readingTool(withAccountArgument(pagedPortfolio), portfolioOutput),
  historyTool(withAccountArgument(performance), performanceOutput, withPerformanceColumns),
  historyTool(withAccountArgument(getActivities), activitiesOutput),
  historyTool(withAccountArgument(getRisk), riskOutput),
  historyTool(withAccountArgument(getTaxLots), taxLotsOutput),
  historyTool(withAccountArgument(getRealizedGains), realizedGainsOutput),
  historyTool(withAccountArgument(checkWashSale), washSaleOutput),
  { ...readingTool(getFindings, findingsOutput), needsOwnRules: true },
  readingTool(withAccountArgument(getWatchlist), watchlistOutput),
  readingTool(withAccountArgument(listOrders), ordersOutput),
  readingTool(withAccountArgument(getOrder), orderOutput),
  readingTool(withAccountArgument(checkRules), rulesOutput),
  readingTool(withAccountArgument(rebalancing), rebalanceOutput),
  // HTTP clients lack the scope of this tool, because only the owner's own programs may change the watchlist.
  { ...readingTool(withAccountArgument(setWatchlist), watchlistOutput), effect: 'acts' },
];

const IMPORTS_NOT_INCLUDED =
  'activities that the owner imported from files ("trade-agent import") are stored on their own machine and are not included: this result uses only the broker’s data';

/** Adds a note to results that are based on activities, if the imported activities are missing. */
function historyTool(tool: DirectTool, output: z.ZodObject, arrange?: Arrangement): McpTool {
  const { run, ...rest } = readingTool(tool, output, arrange);
  return defineMcpTool({
    ...rest,
    async run(call, args) {
      const answer = await run(call, args);
      if (call.caller.hasImports || !('found' in answer)) return answer;
      return { ...answer, found: { ...answer.found, not_counted: IMPORTS_NOT_INCLUDED } };
    },
  });
}

type Arrangement = typeof withBarColumns;

/** Wraps an agent's read-only tool. @param arrange shortens the result for a model; by default, returns it unchanged */
function readingTool(tool: DirectTool, output: z.ZodObject, arrange: Arrangement = (found) => found): McpTool {
  return defineMcpTool({
    name: tool.name,
    title: tool.title,
    description: tool.description,
    schema: toolArgumentsSchema(tool),
    output,
    scopes: tool.scopes,
    effect: 'reads',
    async run({ caller }, args) {
      const { signedIn, gateway, ownRules } = caller;
      const { summary, content, outside } = await tool.execute({ session: signedIn, gateway, ownRules }, args);
      return {
        message: summary,
        found: arrange(JSON.parse(content) as Record<string, unknown>),
        ...defined({ outside }),
      };
    },
  });
}
