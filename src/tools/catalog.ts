import { z } from 'zod';
import { withAccountArgument } from './account-argument.ts';
import { addSchedule } from './add-schedule.ts';
import { cancelOrder } from './cancel-order.ts';
import { checkRules } from './check-rules.ts';
import { checkWashSale } from './check-wash-sale.ts';
import { closePosition } from './close-position.ts';
import { getActivities } from './get-activities.ts';
import { getAsset } from './get-asset.ts';
import { getBars } from './get-bars.ts';
import { getCalendar } from './get-calendar.ts';
import { getCorporateActions } from './get-corporate-actions.ts';
import { getFindings } from './get-findings.ts';
import { getMarketClock } from './get-market-clock.ts';
import { getNews } from './get-news.ts';
import { getOptionContracts } from './get-option-contracts.ts';
import { getOrder } from './get-order.ts';
import { getPerformance } from './get-performance.ts';
import { getPortfolio } from './get-portfolio.ts';
import { getQuote } from './get-quote.ts';
import { getRealizedGains } from './get-realized-gains.ts';
import { getRisk } from './get-risk.ts';
import { getTaxLots } from './get-tax-lots.ts';
import { getWatchlist } from './get-watchlist.ts';
import { listAccounts } from './list-accounts.ts';
import { listAlerts } from './list-alerts.ts';
import { listOrders } from './list-orders.ts';
import { sendGmailSummary, sendSlackSummary } from './message-tool.ts';
import { placeOrder } from './place-order.ts';
import { placeOrders } from './place-orders.ts';
import { placeStandingOrder } from './place-standing-order.ts';
import { removeAlert } from './remove-alert.ts';
import { replaceOrder } from './replace-order.ts';
import { searchSymbols } from './search-symbols.ts';
import { setAlert } from './set-alert.ts';
import { setWatchlist } from './set-watchlist.ts';
import { suggestRebalance } from './suggest-rebalance.ts';
import { defineTool, type Tool } from './tool.ts';
import { whoami } from './whoami.ts';

export const tools: readonly Tool[] = [
  whoami,
  listAccounts,
  withAccountArgument(getQuote),
  withAccountArgument(getBars),
  getMarketClock,
  getCalendar,
  searchSymbols,
  withAccountArgument(getAsset),
  withAccountArgument(getOptionContracts),
  getNews,
  getCorporateActions,
  withAccountArgument(getPortfolio),
  withAccountArgument(getPerformance),
  withAccountArgument(getActivities),
  withAccountArgument(getRisk),
  withAccountArgument(getTaxLots),
  withAccountArgument(getRealizedGains),
  withAccountArgument(checkWashSale),
  getFindings,
  withAccountArgument(getWatchlist),
  withAccountArgument(setWatchlist),
  withAccountArgument(listOrders),
  withAccountArgument(getOrder),
  withAccountArgument(checkRules),
  withAccountArgument(suggestRebalance),
  placeOrder,
  placeOrders,
  placeStandingOrder,
  closePosition,
  replaceOrder,
  withAccountArgument(cancelOrder),
  sendSlackSummary,
  sendGmailSummary,
  listAlerts,
  setAlert,
  removeAlert,
  addSchedule,
];

/** Finds tools that were left out of a request to a model. Only our agent's language models get this tool. */
export const findTools = defineTool({
  name: 'find_tools',
  title: 'Find a tool',
  description: `Makes more tools available. Not all of them are available at first. All tools: ${tools.map(({ name }) => name).join(', ')}.`,
  schema: z.strictObject({
    query: z.string().min(1).max(200).describe('names of tools, or what you want to do'),
  }),
  scopes: [],
  risk: 'read',
  async execute({ searchTools }, { query }) {
    const available = (await searchTools?.(query)) ?? [];
    const note = available.length === 0 ? 'no tool fits' : 'call them now';
    return { summary: available.join(', ') || 'none', content: JSON.stringify({ available, note }) };
  },
});

export function findTool(name: string): Tool | undefined {
  return [...tools, findTools].find((tool) => tool.name === name);
}
