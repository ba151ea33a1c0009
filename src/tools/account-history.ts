import { type Activity, toFlows } from '../trading/activity.ts';
import { Dec } from '../trading/decimal.ts';
import { newYorkInstant } from '../trading/new-york-time.ts';
import { type Period, periodStart } from '../trading/period.ts';
import { type AccountReturns, accountReturns, mergeFlows, toDayEndEquity } from '../trading/portfolio/returns.ts';
import type { Account, Position } from '../trading/views.ts';
import type { GatewayClient } from './gateway/gateway-client.ts';

/** The longer period to request from the broker for each period, so that it includes the day before the period. */
const historyPeriods: Readonly<Record<Period, string>> = {
  '1D': '1M',
  '1W': '1M',
  '1M': '2M',
  '3M': '4M',
  '6M': '7M',
  '1Y': '2A',
  '5Y': '6A',
  MTD: '2M',
  YTD: '2A',
  ALL: '10A',
};

/** The account's current state, and its values since the day before the period began. */
export interface AccountHistory {
  readonly account: Account;
  readonly positions: readonly Position[];
  /** Market time in epoch milliseconds. */
  readonly now: number;
  readonly equity: Dec;
  readonly returns: AccountReturns;
  /** Activities since the first value, oldest first. */
  readonly activities: readonly Activity[];
}

export type AccountHistoryGateway = Pick<
  GatewayClient,
  'account' | 'positions' | 'valueHistory' | 'clock' | 'activities'
>;

export async function readAccountHistory(gateway: AccountHistoryGateway, period: Period): Promise<AccountHistory> {
  const [account, positions, history, clock] = await Promise.all([
    gateway.account(),
    gateway.positions(),
    gateway.valueHistory(historyPeriods[period]),
    gateway.clock(),
  ]);
  const now = Date.parse(clock.timestamp);
  const began = newYorkInstant(periodStart(period, now), '00:00');
  const ends = toDayEndEquity(history);
  const before = ends.findLastIndex(({ at }) => at < began);
  const values = ends.slice(Math.max(0, before));
  const activities = await gateway.activities({ after: values[0]?.at ?? began });
  const booked = toFlows(activities);
  const flows = mergeFlows(values, booked, now);
  const equity = new Dec(account.equity);
  const returns = accountReturns(values, { at: now, equity }, flows, booked);
  return { account, positions, now, equity, returns, activities };
}
