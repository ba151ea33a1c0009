import { DAY_MS } from '../../../values/durations.ts';
import type { AccountReads, DashboardData } from './dashboard-data.ts';

/**
 * Cache lifetimes of reads, in milliseconds. Brokers allow about 200 requests a minute per account, and one dashboard
 * page needs 30 requests.
 */
const CACHE_TTL_MS = {
  accounts: 60_000,
  account: 5_000,
  positions: 5_000,
  orders: 10_000,
  valueHistory: 60_000,
  activities: 60_000,
  quotes: 5_000,
  names: DAY_MS,
  bars: 60_000,
  // One request per position, for prices that change once a day.
  dailyBars: 300_000,
  news: 300_000,
  proposals: 5_000,
  mandates: 10_000,
  halted: 5_000,
  record: 10_000,
  verifyRecord: 30_000,
} as const;

/** Maximum number of cached results per person. */
const MAX_KEPT = 500;

/** Names of reads whose cached results become outdated when a proposal changes. */
const INVALIDATED_READS = [
  ...(['account', 'positions', 'orders', 'activities', 'proposals', 'mandates', 'halted'] as const),
  'record',
] as const;

const dayOf = (at: number) => Math.round(at / DAY_MS);

export interface CachedDashboardData extends DashboardData {
  stale(): void;
}

export function cacheDashboardData(data: DashboardData, now: () => number): CachedDashboardData {
  const kept = new Map<string, { readonly at: number; readonly value: Promise<unknown> }>();
  const once = <T>(name: keyof typeof CACHE_TTL_MS, key: string, read: () => Promise<T>): Promise<T> => {
    const known = kept.get(`${name} ${key}`);
    if (known !== undefined && now() - known.at < CACHE_TTL_MS[name]) return known.value as Promise<T>;
    const value = read();
    // Limits memory use by pages with many symbols.
    if (kept.size >= MAX_KEPT) kept.clear();
    kept.set(`${name} ${key}`, { at: now(), value });
    return value;
  };
  const stale = () => {
    for (const key of kept.keys()) if (INVALIDATED_READS.some((name) => key.startsWith(`${name} `))) kept.delete(key);
  };
  const inOne = (of: string, reads: AccountReads): AccountReads => ({
    account: () => once('account', of, () => reads.account()),
    positions: () => once('positions', of, () => reads.positions()),
    orders: (query) => once('orders', `${of} ${query.limit}`, () => reads.orders(query)),
    valueHistory: (period) => once('valueHistory', `${of} ${period}`, () => reads.valueHistory(period)),
    // The key contains only the day, because the exact start of the displayed period moves with each check.
    activities: (query) => once('activities', `${of} ${dayOf(query.after)}`, () => reads.activities(query)),
    quotes: (symbols, use) => once(use ?? 'quotes', `${of} ${symbols}`, () => reads.quotes(symbols)),
    bars: (query) => {
      const { symbol, timeframe, start, end, adjustment } = query;
      const key = [of, symbol, timeframe, dayOf(start), dayOf(end), adjustment].join(' ');
      return once(timeframe === '1Day' ? 'dailyBars' : 'bars', key, () => reads.bars(query));
    },
    news: (query) => once('news', `${of} ${query.symbols} ${query.limit}`, () => reads.news(query)),
  });
  return {
    ...inOne('', data),
    accounts: () => once('accounts', '', () => data.accounts()),
    inAccount: (account) => inOne(account, data.inAccount(account)),
    proposals: (query) => once('proposals', String(query.limit), () => data.proposals(query)),
    mandates: () => once('mandates', '', () => data.mandates()),
    halted: () => once('halted', '', () => data.halted()),
    record: (limit) => once('record', String(limit), () => data.record(limit)),
    verifyRecord: () => once('verifyRecord', '', () => data.verifyRecord()),
    withdraw: (id) => data.withdraw(id).finally(stale),
    halt: () => data.halt().finally(stale),
    follow: (signal, changed) => data.follow(signal, changed),
    agent: data.agent,
    stale,
  };
}
