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
import type { Tool } from './tool.ts';
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

export function findTool(name: string): Tool | undefined {
  return tools.find((tool) => tool.name === name);
}
